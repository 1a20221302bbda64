#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sae {

/// Text as it may stand in HTML, also within a quoted attribute. Control characters are left out.
std::string escaped(std::string_view text);

/// A data URI that holds the bytes of a PNG picture.
std::string png_uri(std::string_view bytes);

/// A table. Cells are HTML; those of the first column head their rows, numbers stand at the right.
struct HtmlTable {
  std::string caption;  ///< Text.
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
std::string html_of(const HtmlTable& table);

/// What opens at a click on the summary, a text. `content` is HTML.
std::string details(std::string_view summary, std::string_view content);

/// A section with its heading, a text; nothing if there is no content, which is HTML.
std::string section(std::string_view id, std::string_view heading, std::string_view content);

}  // namespace sae
