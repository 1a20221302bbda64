#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace sae {

// Texts that the program shows about itself. No line is longer than 80 columns.

/// True if -h, --help or --help-all is among the arguments: then nothing else counts.
bool asks_for_help(const std::vector<std::string>& arguments);

/// --help of a command: how to call it, what it does, its options.
std::string help_of(const std::string& usage, const std::string& about,
                    const boost::program_options::options_description& options);

/// --help of the program: its commands and the options that people need most, on one screen.
std::string short_help();

/// --version: of the program and of the libraries in use.
std::string version_text();

}  // namespace sae
