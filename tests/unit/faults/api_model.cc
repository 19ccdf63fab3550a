#include "tests/unit/faults/api_model.h"

#include <thread>
#include <utility>

namespace shm::kube::testing {
namespace {

// The number behind "&resourceVersion=", 0 where there is none.
int AskedVersion(const std::string& request) {
  const auto at = request.find("&resourceVersion=");
  return at == std::string::npos ? 0 : std::stoi(request.substr(at + 17));
}

bool Has(const std::string& request, const std::string& text) {
  return request.find(text) != std::string::npos;
}

bool WriteLines(Connection& connection, const std::vector<std::string>& lines) {
  std::string bytes;
  for (const std::string& line : lines) bytes += Chunk(line + "\n");
  return bytes.empty() || connection.Write(bytes);
}

}  // namespace

ApiModel::ApiModel() { Restore({{"a", "x"}, {"b", "y"}}, 10); }

void ApiModel::Log(const std::string& type, const std::string& name, const std::string& value) {
  ++version_;
  const Json object = Object(name, std::to_string(version_), value);
  log_.push_back({version_, Event(type, object)});
  if (type == "DELETED") {
    objects_.erase(name);
  } else {
    objects_[name] = object;
  }
}

void ApiModel::Put(const std::string& name, const std::string& value) {
  MutexLock lock(mutex_);
  Log(objects_.count(name) != 0 ? "MODIFIED" : "ADDED", name, value);
}

void ApiModel::Remove(const std::string& name) {
  MutexLock lock(mutex_);
  Log("DELETED", name, objects_[name].value("value", ""));
}

void ApiModel::Restore(const Truth& truth, int version) {
  MutexLock lock(mutex_);
  objects_.clear();
  version_ = version - static_cast<int>(truth.size());
  for (const auto& [name, value] : truth) Log("ADDED", name, value);
  log_.clear();
}

void ApiModel::SetScript(Script script) {
  MutexLock lock(mutex_);
  script_ = std::move(script);
}

void ApiModel::SetToken(const std::string& token) {
  MutexLock lock(mutex_);
  token_ = token;
}

Truth ApiModel::truth() const {
  MutexLock lock(mutex_);
  Truth truth;
  for (const auto& [name, object] : objects_) truth[name] = object["value"];
  return truth;
}

int ApiModel::requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

bool ApiModel::moved_on() const {
  MutexLock lock(mutex_);
  return moved_on_;
}

std::vector<std::string> ApiModel::EventsAfter(int version) const {
  MutexLock lock(mutex_);
  std::vector<std::string> lines;
  for (const Happened& happened : log_) {
    if (happened.version > version) lines.push_back(happened.line);
  }
  return lines;
}

void ApiModel::Serve(Connection& connection) {
  for (;;) {
    const std::string request = connection.Read();
    if (request.empty() || !AnswerOne(connection, request)) return;
  }
}

bool ApiModel::AnswerOne(Connection& connection, const std::string& request) {
  Answer scripted;
  int version = 0;
  bool let_in = true;
  {
    MutexLock lock(mutex_);
    ++requests_;
    let_in = token_.empty() || Has(request, "Bearer " + token_ + "\r\n");
    version = version_;
    if (struck_ && !script_.answers.empty()) {
      scripted = std::move(script_.answers.front());
      script_.answers.pop_front();
    }
  }
  if (!let_in) return Say(401, Status(401, "Unauthorized"))(connection);
  if (scripted) return scripted(connection);
  const int asked = AskedVersion(request);
  if (asked > version) {
    return Say(504, Status(504, "Timeout", "ResourceVersionTooLarge"))(connection);
  }
  if (Has(request, "sendInitialEvents=true")) return Stream(connection);
  if (Has(request, "watch=true")) return Watch(connection, asked);
  return connection.Write(Reply(200, Page()));
}

std::string ApiModel::Page() const {
  MutexLock lock(mutex_);
  std::vector<Json> items;
  for (const auto& [name, object] : objects_) items.push_back(object);
  return List(items, std::to_string(version_));
}

bool ApiModel::Stream(Connection& connection) {
  std::vector<std::string> lines;
  int version = 0;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, object] : objects_) lines.push_back(Event("ADDED", object));
    version = version_;
  }
  lines.push_back(EndMark(std::to_string(version)));
  if (!connection.Write(ChunkedHead()) || !WriteLines(connection, lines)) return false;
  return Strike(connection);
}

// The first list of all is what the script waits for; later ones go on as quiet watches.
bool ApiModel::Strike(Connection& connection) {
  Script script;
  {
    MutexLock lock(mutex_);
    if (!std::exchange(struck_, true)) {
      script.before = script_.before;
      script.in_watch = script_.in_watch;
    }
  }
  if (script.before) {
    script.before();
    MutexLock lock(mutex_);
    moved_on_ = true;
  }
  if (script.in_watch) return script.in_watch(connection);
  connection.WaitForClose();
  return false;
}

bool ApiModel::Watch(Connection& connection, int version) {
  if (!connection.Write(ChunkedHead()) || !WriteLines(connection, EventsAfter(version))) {
    return false;
  }
  return Strike(connection);
}

ApiModel::Answer Say(int status, const std::string& body, const std::string& headers) {
  return [=](Connection& connection) { return connection.Write(Reply(status, body, headers)); };
}

ApiModel::Answer SayLines(std::vector<std::string> lines) {
  return [lines = std::move(lines)](Connection& connection) {
    WriteLines(connection, lines);
    connection.WaitForClose();
    return false;
  };
}

ApiModel::Answer SayAndEnd(std::vector<std::string> lines) {
  return [lines = std::move(lines)](Connection& connection) {
    return WriteLines(connection, lines) && connection.Write(kLastChunk);
  };
}

ApiModel::Answer CutWithin(const std::string& bytes) {
  return [bytes](Connection& connection) {
    connection.Write(Chunk(bytes));
    return false;
  };
}

ApiModel::Answer FallSilent() { return SayLines({}); }

ApiModel::Answer Drip(const std::string& beginning) {
  return [beginning](Connection& connection) {
    connection.Write(ChunkedHead() + Chunk(beginning));
    while (connection.Write(Chunk(" "))) std::this_thread::yield();
    return false;
  };
}

}  // namespace shm::kube::testing
