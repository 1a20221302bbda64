#include <sae/core/good.hpp>
