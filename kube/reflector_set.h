// The reflectors of a program, and how they do together.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "kube/api_error.h"
#include "kube/reflector.h"

namespace shm::kube {

// Refusals (403 of RBAC, 404 of a kind that is not served) that need not hold up the program: the
// reflector asks on, but the others serve without it.
using Tolerated = std::vector<ErrorReason>;

// One namespace of several may be deleted, with the Role that let us look at it: what belongs to
// the others goes on.
Tolerated ToleratedIn(const Scope& scope);

// Add before Start; the rest is thread-safe then. Stops them when it goes.
class ReflectorSet {
 public:
  void Add(std::unique_ptr<Reflector> reflector, Tolerated tolerated = {});

  void Start();
  void Stop();

  // Each has listed once, or is refused and may be.
  bool HasSynced() const;
  // As Reflector::Alive of each, but for those that are refused and may be.
  bool Alive() const;
  // How many are refused, tolerated or not.
  std::size_t Refused() const;

 private:
  struct Member {
    std::unique_ptr<Reflector> reflector;
    Tolerated tolerated;
    bool MayBeSilent() const;
  };
  std::vector<Member> members_;
};

}  // namespace shm::kube
