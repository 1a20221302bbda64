#pragma once

#include <string>
#include <string_view>

namespace sae {

/// Text as it may stand in HTML, also within a quoted attribute. Control characters are left out.
std::string escaped(std::string_view text);

/// The address of a file below or beside the page, which no name makes a link to elsewhere.
std::string address_of(std::string_view relative_path);

/// A data URI that holds the bytes of a PNG picture.
std::string png_uri(std::string_view bytes);

}  // namespace sae
