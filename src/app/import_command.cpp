#include <fmt/format.h>

#include "commands.hpp"
#include "outputs.hpp"
#include "sae/core/text.hpp"

namespace sae {

void run_import(const ImportCommandOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    const IdxFiles files =
        options.from.empty() ? options.idx : find_idx_files(options.from, options.set);
    std::vector<std::filesystem::path> inputs = {options.arrays.file};
    if (options.arrays.file.empty()) {
      inputs = {files.train_images, files.train_labels, files.test_images, files.test_labels};
    }
    check_output(options.import.output, inputs, options.force);
    const DatasetInfo info = options.arrays.file.empty()
                                 ? import_idx(files, options.import)
                                 : import_hdf5(options.arrays, options.import);
    fmt::print("wrote {}: {} training and {} test samples of {} pixels, {} classes\n",
               options.import.output.string(), grouped(info.train_count), grouped(info.test_count),
               info.features, info.classes);
  }
  comm.barrier();
}

}  // namespace sae
