#include "runtime/http_eviction.h"

#include <catch2/catch.hpp>

namespace shm::runtime::internal {
namespace {

constexpr std::uint32_t kNew = 0;
constexpr std::uint32_t kServed = 1;
constexpr std::uint32_t kInUse = 1000;
constexpr bool kHeard = true;
constexpr bool kIdle = true;
constexpr bool kBusy = false;

std::vector<Occupant> Many(int count, Occupant one) {
  std::vector<Occupant> all(static_cast<std::size_t>(count), one);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].since += static_cast<std::int64_t>(i);
  return all;
}

std::vector<Occupant> operator+(std::vector<Occupant> left, const std::vector<Occupant>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST_CASE("Whoever holds the most places of a kind makes room, newcomers first") {
  struct Row {
    const char* what;
    std::vector<Occupant> occupants;
    std::optional<std::size_t> goes;
  };
  // Of 24 places a quarter is 6, and an eighth 3.
  const Occupant api_server{1, kServed, kHeard, kIdle, 0};
  const Occupant comes{1, kNew, kHeard, kIdle, 0};
  std::vector<Occupant> everywhere;
  for (std::uint64_t network = 10; network < 30; ++network) {
    everywhere.push_back({network, kServed, kHeard, kIdle, 40});
  }
  const Row rows[] = {
      {"nobody is there", {}, std::nullopt},
      {"all are busy", Many(24, {1, kServed, kHeard, kBusy, 0}), std::nullopt},
      {"of equal ones the longest unchanged",
       {{1, kNew, kHeard, kIdle, 7}, {2, kNew, kHeard, kIdle, 5}, {3, kNew, kHeard, kIdle, 6}},
       1},
      {"one that said nothing goes before one that began",
       {{1, kNew, kHeard, kIdle, 5}, {2, kNew, !kHeard, kIdle, 6}, {3, kNew, !kHeard, kIdle, 7}},
       1},
      {"served ones stay while enough are new",
       Many(18, api_server) + Many(6, {2, kNew, kHeard, kIdle, 50}), 18},
      {"a newcomer outlives the many of another, though it is older",
       Many(1, comes) + Many(23, {2, kNew, kHeard, kIdle, 50}), 1},
      {"one that hoards served connections pays, not the newcomer",
       Many(1, comes) + Many(23, {2, kServed, kHeard, kIdle, 50}), 1},
      {"nor those of another that were served",
       Many(6, api_server) + Many(18, {2, kServed, kHeard, kIdle, 9}), 6},
      {"newcomers from everywhere displace none that was served",
       Many(18, api_server) + std::vector<Occupant>{{2, kNew, kHeard, kIdle, 90},
                                                    {3, kNew, kHeard, kIdle, 91},
                                                    {4, kNew, kHeard, kIdle, 92},
                                                    {5, kNew, kHeard, kIdle, 93},
                                                    {6, kNew, kHeard, kIdle, 94},
                                                    {7, kNew, kHeard, kIdle, 95}},
       18},
      {"a network within its share is as good as those with one connection: the longest unchanged",
       Many(3, {1, kServed, kHeard, kIdle, 80}) + everywhere, 3},
      {"one in use outlives younger ones of its network that were served once",
       Many(1, {1, kInUse, kHeard, kIdle, 0}) + Many(23, {1, kServed, kHeard, kIdle, 9'000}), 1},
      {"for ten seconds",
       Many(1, {1, kInUse, kHeard, kIdle, 0}) + Many(23, {1, kServed, kHeard, kIdle, 10'000}), 0},
      {"who is busy counts for its network and stays",
       Many(6, {2, kNew, kHeard, kBusy, 0}) + Many(1, {2, kNew, kHeard, kIdle, 80}) +
           Many(5, comes),
       6},
      {"where all newcomers are busy, one that was served",
       Many(6, {2, kNew, kHeard, kBusy, 0}) + Many(6, api_server), 6},
      {"where all that were served are busy, a newcomer",
       Many(23, {1, kServed, kHeard, kBusy, 0}) + Many(1, comes), 23},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(ChooseEvicted(row.occupants, 24) == row.goes);
  }
}

}  // namespace
}  // namespace shm::runtime::internal
