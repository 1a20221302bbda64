#include <iostream>

#include "sae/comm/mpi_session.hpp"
#include "sae/data/partition.hpp"

int main() {
  const sae::Range part = sae::part_of_range({0, 97}, 2, 3);
  std::cout << sae::MpiSession::library_version() << ": the last of 3 ranks holds samples ["
            << part.begin << ", " << part.end << ") of 97\n";
  return part.end == 97 ? 0 : 1;
}
