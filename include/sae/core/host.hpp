#pragma once

#include <string>

namespace sae {

/// Name of the host that this process runs on.
std::string host_name();

}  // namespace sae
