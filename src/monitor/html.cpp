#include "html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>

namespace sae {
namespace {

bool is_number(std::string_view cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,:+-e% ") == std::string_view::npos;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

std::string png_uri(std::string_view bytes) {
  using boost::archive::iterators::base64_from_binary;
  using boost::archive::iterators::transform_width;
  using Base64 = base64_from_binary<transform_width<std::string_view::const_iterator, 6, 8>>;
  // The iterator reads the last group to its end: zeros, which '=' then tells.
  std::string padded(bytes);
  padded.resize((bytes.size() + 2) / 3 * 3, '\0');
  const std::string_view whole = padded;
  std::string text(padded.size() / 3 * 4, '=');
  std::copy(Base64(whole.begin()), Base64(whole.end()), text.begin());
  const std::size_t missing = padded.size() - bytes.size();
  text.replace(text.size() - missing, missing, missing, '=');
  return "data:image/png;base64," + text;
}

std::string html_of(const HtmlTable& table) {
  std::string html = "<div class=\"wide\" tabindex=\"0\"><table>";
  if (!table.caption.empty()) html += fmt::format("<caption>{}</caption>", escaped(table.caption));
  html += "<thead><tr>";
  for (const std::string& cell : table.header) {
    html += fmt::format("<th scope=\"col\">{}</th>", cell);
  }
  html += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const char* place = is_number(row[i]) ? " class=\"n\"" : "";
      html += i == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", place, row[i])
                     : fmt::format("<td{}>{}</td>", place, row[i]);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string details(std::string_view summary, std::string_view content) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escaped(summary), content);
}

std::string section(std::string_view id, std::string_view heading, std::string_view content) {
  if (content.empty()) return {};
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-h\"><h2 id=\"{0}-h\">{1}</h2>\n{2}</section>\n",
      id, escaped(heading), content);
}

}  // namespace sae
