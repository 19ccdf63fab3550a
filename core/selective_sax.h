// Events of a JSON text, told by a reader that leaves out what is not wanted.
#pragma once

#include <nlohmann/json.hpp>

namespace shm {

class SelectiveSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  // Asked after each key: whether its value is to be told. What is not wanted is checked to be
  // JSON, and no more.
  virtual bool WantsValue() const { return true; }
};

}  // namespace shm
