// An API server of one resource, over a socket, that answers as a real one until it is told not to.
//
// It knows the truth: objects, the events that made them, and the versions of both. A script hurts
// it once, in the middle of the first watch, and may answer the requests that follow.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/mutex.h"
#include "tests/support/socket_server.h"
#include "tests/unit/kube/reflector_world.h"

namespace shm::kube::testing {

// Thread-safe.
class ApiModel {
 public:
  // Answers one request on its connection, well or badly. False: the connection is to be closed.
  using Answer = std::function<bool(Connection& connection)>;

  // In order: what the running watch suffers, once the cache has listed, and what the requests
  // after that are answered by. What is not scripted is answered as it should be.
  struct Script {
    std::function<void()> before;  // a change of the world, while the cache is in step
    Answer in_watch;
    std::deque<Answer> answers;
  };

  ApiModel();

  void Put(const std::string& name, const std::string& value) SHM_EXCLUDES(mutex_);
  void Remove(const std::string& name) SHM_EXCLUDES(mutex_);
  // A backup is restored: `truth` is all there is, at versions that end at `version`.
  void Restore(const Truth& truth, int version) SHM_EXCLUDES(mutex_);
  void SetScript(Script script) SHM_EXCLUDES(mutex_);
  // Who does not carry it is answered 401. Empty: everybody may.
  void SetToken(const std::string& token) SHM_EXCLUDES(mutex_);

  Truth truth() const SHM_EXCLUDES(mutex_);
  int requests() const SHM_EXCLUDES(mutex_);
  // The script has begun, and its change of the world is made.
  bool moved_on() const SHM_EXCLUDES(mutex_);
  // The events after a version, a line each.
  std::vector<std::string> EventsAfter(int version) const SHM_EXCLUDES(mutex_);

  void Serve(Connection& connection);

 private:
  struct Happened {
    int version = 0;
    std::string line;
  };

  bool AnswerOne(Connection& connection, const std::string& request) SHM_EXCLUDES(mutex_);
  bool Stream(Connection& connection) SHM_EXCLUDES(mutex_);
  bool Watch(Connection& connection, int version) SHM_EXCLUDES(mutex_);
  std::string Page() const SHM_EXCLUDES(mutex_);
  bool Strike(Connection& connection) SHM_EXCLUDES(mutex_);
  void Log(const std::string& type, const std::string& name, const std::string& value)
      SHM_REQUIRES(mutex_);

  mutable Mutex mutex_;
  int version_ SHM_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Json> objects_ SHM_GUARDED_BY(mutex_);
  std::vector<Happened> log_ SHM_GUARDED_BY(mutex_);
  Script script_ SHM_GUARDED_BY(mutex_);
  bool struck_ SHM_GUARDED_BY(mutex_) = false;
  bool moved_on_ SHM_GUARDED_BY(mutex_) = false;
  std::string token_ SHM_GUARDED_BY(mutex_);
  int requests_ SHM_GUARDED_BY(mutex_) = 0;
};

// Answers of a script. A watch's head has been sent when it is hurt.
ApiModel::Answer Say(int status, const std::string& body, const std::string& headers = {});
ApiModel::Answer SayLines(std::vector<std::string> lines);   // in a watch, which goes on
ApiModel::Answer SayAndEnd(std::vector<std::string> lines);  // the watch ends in order
ApiModel::Answer CutWithin(const std::string& bytes);        // the connection goes
ApiModel::Answer FallSilent();                               // and keeps the connection
ApiModel::Answer Drip(const std::string& beginning);         // an answer that never ends

}  // namespace shm::kube::testing
