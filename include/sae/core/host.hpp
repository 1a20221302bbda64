#pragma once

#include <set>
#include <string>

namespace sae {

/// Name of the host that this process runs on.
std::string host_name();

/// Numbers of the cores that this process may run on: its binding. Empty if the system does not
/// tell.
std::set<int> allowed_cores();

}  // namespace sae
