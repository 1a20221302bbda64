#include "help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>
#include <utility>

#include "sae/comm/mpi_session.hpp"
#include "sae/kernels/instructions.hpp"
#include "sae/kernels/products.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "version.hpp"

namespace sae {
namespace {

constexpr std::size_t kColumns = 80;

/// Breaks the text at blanks; lines after the first begin with `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent = 0) {
  std::string result;
  std::size_t column = indent;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (result.empty()) {
      column += word.size();
    } else if (column + 1 + word.size() > kColumns) {
      result += '\n';
      result.append(indent, ' ');
      column = indent + word.size();
    } else {
      result += " ";
      column += 1 + word.size();
    }
    result += word;
  }
  return result;
}

}  // namespace

bool asks_for_help(const std::vector<std::string>& arguments) {
  constexpr std::array kWords = {"-h", "--help", "--help-all"};
  return std::ranges::find_first_of(arguments, kWords) != arguments.end();
}

std::string help_of(const std::string& usage, const std::string& about,
                    const boost::program_options::options_description& options) {
  std::ostringstream stream;
  stream << options;
  std::string list = stream.str();
  list.erase(0, list.find_first_not_of('\n'));
  // Boost's own form, blanks at the ends of lines, and empty lines of options without a heading.
  for (const auto& [pattern, better] :
       {std::pair("-h \\[ --help \\]", "-h, --help   "), std::pair(" +\n", "\n"),
        std::pair("\n\n  ", "\n  "), std::pair("\n\n\n", "\n\n")}) {
    list = std::regex_replace(list, std::regex(pattern), better);
  }
  return fmt::format("Usage: {}\n\n{}\n\n{}", wrapped(usage, 7), wrapped(about), list);
}

std::string short_help() {
  return R"(Usage: sae_dist [COMMAND] [options]; also under mpirun or srun

Commands; sae_dist COMMAND --help lists the options of each:
  train, or none              train an autoencoder or a classifier
  import, inspect             make a data set; show what is in a file or a run
  evaluate, predict           measure a model; write classes and probabilities
  encode, reconstruct, score  write codes, reconstructions or anomaly scores
  export, report              write a model as ONNX; write the page of a run
  doctor, bench               check this machine; measure its speed

Options of train that people need most; --help-all lists all:
  --data FILE           data set; else $SAE_DATA or data/mnist.h5
  --run FOLDER          folder for the results; else runs/<date-time>
  --recipe NAME         ready settings, such as quick, minute or best
  --config FILE         settings from a file, such as config.cfg of a run
  --units LIST          units of each hidden layer, such as 500,250
  --finetune KIND       auto, classify, reconstruct, joint or none
  --finetune-epochs N   epochs of training all layers together
  --seed N              seed of weights, order and noise
  --resume auto         resume the run in --run if it has a checkpoint
  --threads auto|T      threads of each rank; auto: the cores it is bound to
  -h, --help            this text
  --version             versions of the program and its libraries
)";
}

std::string version_text() {
  std::string text = fmt::format("sae_dist {}\n", kVersion);
  const auto row = [&text](const std::string& name, const std::string& value) {
    constexpr std::size_t kIndent = 16;
    text += fmt::format("  {:<13} {}\n", name, wrapped(value, kIndent));
  };
  row("commit", kCommit);
  row("compiler", kCompiler);
  row("MPI", MpiSession::library_version());
  row("HDF5", hdf5_version());
  row("matrices", kernel_description());
  row("instructions", instruction_set());
  return text;
}

}  // namespace sae
