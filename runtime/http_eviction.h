// Who makes room for one more connection where a listener has as many as it may.
//
// Whoever holds all places with connections that say nothing, or with connections that were served
// once and now rest, must not keep others out: neither those that stand nor those that come. So
// places are taken from the network that holds the most of them, and newcomers, who cost a peer
// nothing, cannot displace those that were served while they have a quarter of the places.
//
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace shm::runtime::internal {

struct Occupant {
  std::uint64_t network;  // an IPv4 address, or the /64 of an IPv6 address: what one host has
  std::uint32_t served;   // how many requests of it were answered
  bool heard;             // it said something, be it the beginning of a handshake
  bool evictable;         // no request of it is being handled or answered
  std::int64_t since;     // when it last changed, in milliseconds
};

// The index of the one that goes: of those that were not served, unless these have fewer than a
// quarter of `places`; there, of the network with the most of that kind, where that is more than an
// eighth of `places`; there, one that was not heard; there, the one unchanged for longest, where
// each answered request counts as a tenth of a second, up to ten seconds: connections that are
// served once and then rest are not to push out one that is in use. None where nobody can be
// evicted.
std::optional<std::size_t> ChooseEvicted(const std::vector<Occupant>& occupants,
                                         std::size_t places);

}  // namespace shm::runtime::internal
