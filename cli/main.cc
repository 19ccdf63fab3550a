#include <iostream>

#include "cli/app.h"

int main(int argc, char** argv) {
  return shm::cli::RunAs(argv[0], {argv + 1, argv + argc}, std::cin, std::cout, std::cerr);
}
