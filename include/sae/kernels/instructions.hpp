#pragma once

#include <string>

namespace sae {

/// The instruction set that matrix products use on this processor, such as "AVX-512 with AMX".
std::string instruction_set();

/// Whether they may use tiles: asks Linux for them where the processor has AMX.
bool may_use_tiles();

/// Multiplies and adds for some hundred thousand cycles as products of float or,
/// `rounded_operands`, bfloat16 do, with all operands in registers. Returns the operations,
/// multiplications and additions; 0 where the processor's instructions are not known.
double compute_in_registers(bool rounded_operands);

}  // namespace sae
