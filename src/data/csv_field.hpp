#pragma once

#include <optional>
#include <string_view>

namespace sae {

enum class FieldKind { kMissing, kNumber, kInfinite, kWord };

/// What a field holds. Missing are an empty field, NA, NaN, nan, null and ?. A number is written
/// with digits, a decimal point and an exponent, whatever the locale, and may be too large for a
/// float.
FieldKind kind_of_field(std::string_view field);

/// As kind_of_field and float_of_field in one go, for most numbers; false for all other fields.
bool parse_plain_float(std::string_view field, float& value);

/// The float nearest to the number; none if it is beyond the range of float32.
/// Requires: kind_of_field(field) is kNumber.
std::optional<float> float_of_field(std::string_view field);
/// The double nearest to the number; none if it is beyond the range.
std::optional<double> double_of_field(std::string_view field);

/// Whether the text is UTF-8 without control characters.
bool is_plain_text(std::string_view text);

}  // namespace sae
