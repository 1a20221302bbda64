#pragma once

#include <string>

namespace sae {

/// The instruction set that matrix products use on this processor, such as "AVX-512 with AMX".
std::string instruction_set();

/// Whether they may use tiles: asks Linux for them where the processor has AMX.
bool may_use_tiles();

}  // namespace sae
