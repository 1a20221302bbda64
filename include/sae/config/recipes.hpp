#pragma once

#include <map>
#include <string>

namespace sae {

/// The texts of data/recipes/*.cfg by their names: a copy of the program alone has them too.
const std::map<std::string, std::string>& built_in_recipes();

}  // namespace sae
