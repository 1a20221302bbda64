#include <fmt/format.h>

#include "commands.hpp"
#include "sae/monitor/text.hpp"

namespace sae {

void run_import(const ImportCommandOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    DatasetInfo info;
    if (options.arrays.file.empty()) {
      const IdxFiles files =
          options.from.empty() ? options.idx : find_idx_files(options.from, options.set);
      info = import_idx(files, options.import);
    } else {
      info = import_hdf5(options.arrays, options.import);
    }
    fmt::print("wrote {}: {} training and {} test samples of {} pixels, {} classes\n",
               options.import.output.string(), grouped(info.train_count), grouped(info.test_count),
               info.features, info.classes);
  }
  comm.barrier();
}

}  // namespace sae
