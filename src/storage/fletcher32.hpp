#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sae {

/// The check sum that HDF5's filter of this name appends to a chunk, several times as fast as
/// HDF5's own. Fletcher, 'An arithmetic checksum for serial transmissions', 1982, modulo 65535.
std::uint32_t fletcher32(std::span<const std::byte> bytes);

}  // namespace sae
