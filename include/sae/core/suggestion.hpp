#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sae {

/// How many letters must be inserted, removed or replaced, or neighbours swapped, to make one word
/// of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// " Did you mean --units?" if `word` is a likely typing mistake for one of `names`, the closest,
/// in front of which `prefix` is put; or " Did you mean --pretrain-epochs or --finetune-epochs?" if
/// names end with `word` or, if none does, begin with it. Else an empty text.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& names,
                         std::string_view prefix = "");

}  // namespace sae
