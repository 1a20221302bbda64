// Needs the header of its own layer, which makes it no public one.
#include "sae/core/private.hpp"
