#include "runtime/http_eviction.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace shm::runtime::internal {
namespace {

// Milliseconds for what it was good for.
std::int64_t Credit(const Occupant& one) {
  constexpr std::uint32_t kMostCounted = 100;
  return 100 * static_cast<std::int64_t>(std::min(one.served, kMostCounted));
}

std::optional<std::size_t> ChooseAmong(const std::vector<Occupant>& occupants, bool served,
                                       std::int64_t share) {
  std::unordered_map<std::uint64_t, std::int64_t> held;
  for (const Occupant& one : occupants) {
    if ((one.served > 0) == served) ++held[one.network];
  }
  const auto rank = [&](const Occupant& one) {
    return std::tuple{-std::max(held[one.network], share), one.heard, one.since + Credit(one)};
  };
  std::optional<std::size_t> chosen;
  for (std::size_t i = 0; i < occupants.size(); ++i) {
    const Occupant& one = occupants[i];
    if ((one.served > 0) != served || !one.evictable) continue;
    if (!chosen || rank(one) < rank(occupants[*chosen])) chosen = i;
  }
  return chosen;
}

}  // namespace

std::optional<std::size_t> ChooseEvicted(const std::vector<Occupant>& occupants,
                                         std::size_t places) {
  const auto newcomers = std::count_if(occupants.begin(), occupants.end(),
                                       [](const Occupant& one) { return one.served == 0; });
  const bool served_first = static_cast<std::size_t>(newcomers) < places / 4;
  const auto share = static_cast<std::int64_t>(places / 8);
  const std::optional<std::size_t> chosen = ChooseAmong(occupants, served_first, share);
  return chosen ? chosen : ChooseAmong(occupants, !served_first, share);
}

}  // namespace shm::runtime::internal
