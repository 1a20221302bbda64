#include "html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>

namespace sae {
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

std::string address_of(std::string_view relative_path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string result;
  for (const char c : relative_path) {
    if (kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
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

}  // namespace sae
