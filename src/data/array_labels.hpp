#pragma once

#include "source_array.hpp"

namespace sae {

/// Least and largest class of the labels, -1 for a sample without one: numbers (N) or (N,1), or
/// one-hot rows (N,K). Checks all of them.
/// Throws: DataError naming sample and value, or the shapes that do not fit.
LabelSummary summary_of(SourceArray& labels, const SourceArray& images,
                        const ImportOptions& options);

/// Gives the classes of all samples to the sink, block by block.
void read_labels(SourceArray& labels, const ImportOptions& options, const LabelSink& sink);

/// The class of a label, the first being options.first_label; -1 for no label, none if it is
/// neither.
std::optional<std::int64_t> find_class(std::int64_t label, const ImportOptions& options);

/// Throws: DataError naming `location`, such as "y in 'a.h5'", `place`, such as "sample 3", and the
/// label, which has no class.
[[noreturn]] void fail_label(std::int64_t label, const ImportOptions& options,
                             const std::string& location, const std::string& place);

}  // namespace sae
