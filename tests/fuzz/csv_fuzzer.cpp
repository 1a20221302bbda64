// Reads the input as a table: row by row from blocks of two sizes, which must give the same rows,
// and as import does. The first byte chooses separator, header and what missing values become.

#include <cstdlib>
#include <string>
#include <vector>

#include "data/csv_reader.hpp"
#include "fuzzing.hpp"
#include "sae/core/error.hpp"
#include "sae/data/import.hpp"

namespace {

using namespace sae;

/// The fields of all rows; less of them if there is a fault.
std::vector<std::string> fields_of(std::span<const std::uint8_t> text, const CsvDialect& dialect,
                                   std::size_t block_bytes, bool& is_right) {
  std::size_t next = 0;
  const auto read = [&](std::span<char> out) {
    const std::size_t count = std::min(out.size(), text.size() - next);
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(next), count, out.begin());
    next += count;
    return count;
  };
  std::vector<std::string> fields;
  is_right = false;
  try {
    CsvBlockReader reader(dialect, read, block_bytes);
    CsvBlock block;
    while (reader.next(block)) {
      CsvRows rows(block, dialect);
      while (rows.next()) {
        fields.push_back(std::to_string(rows.line()));
        fields.insert(fields.end(), rows.fields().begin(), rows.fields().end());
      }
    }
    is_right = true;
  } catch (const Error&) {  // Any other exception is a fault.
  }
  return fields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const std::span<const std::uint8_t> text(data + 1, size - 1);
  CsvFiles files;
  files.separator = std::string(",;\t |:\0\0", 8)[choice & 7];
  files.header = static_cast<CsvFiles::Header>((choice >> 3 & 3) % 3);
  if ((choice & 32) != 0) files.label = "1";

  const CsvDialect dialect{.location = "'table'",
                           .separator = files.separator == '\0' ? ',' : files.separator};
  bool small_is_right = false;
  bool large_is_right = false;
  const auto small = fields_of(text, dialect, 3, small_is_right);
  const auto large = fields_of(text, dialect, 1 << 12, large_is_right);
  if (small_is_right != large_is_right || (small_is_right && small != large)) std::abort();

  const InputFile file(text);
  files.train = file.path();
  ImportOptions options{.output = file.path().string() + ".h5",
                        .missing = static_cast<MissingValues>((choice >> 6) % 3)};
  try {
    import_csv(files, options);
  } catch (const Error&) {
  }
  std::filesystem::remove(options.output);
  return 0;
}
