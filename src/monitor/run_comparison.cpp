#include "sae/monitor/run_comparison.hpp"

#include <chrono>
#include <fstream>
#include <string>

#include "comparison_page.hpp"
#include "html.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

void write_comparison(const std::vector<std::filesystem::path>& runs,
                      const std::filesystem::path& output) {
  Comparison comparison;
  const auto names = names_of(runs);
  const auto folder_of_page = std::filesystem::absolute(output).lexically_normal().parent_path();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunFolder folder(runs[i]);
    const auto page = std::filesystem::absolute(folder.report()).lexically_normal();
    comparison.runs.push_back({.name = names[i],
                               .page = address_of(page.lexically_relative(folder_of_page).string()),
                               .record = read_run_record(folder)});
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  comparison.written = std::chrono::duration<double>(now).count();
  write_text_file(output, comparison_page(std::move(comparison)));
}

bool is_comparison(const std::filesystem::path& file) {
  constexpr std::size_t kEnough = 2000;
  std::string begin(kEnough, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(stream.gcount()));
  return begin.find(kComparisonMark) != std::string::npos;
}

}  // namespace sae
