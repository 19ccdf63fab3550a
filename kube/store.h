// Parsed objects by namespace and name, as a Reflector keeps them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "kube/object_sink.h"
#include "kube/object_table.h"

namespace shm::kube {

// Thread-safe. One Reflector writes, any thread reads. Objects are immutable and outlive their
// removal while somebody holds them. A list becomes visible as a whole, when it is complete.
template <typename T>
class Store : public ObjectSink {
 public:
  using Pointer = typename ObjectTable<T>::Pointer;
  using Snapshot = typename ObjectTable<T>::Snapshot;

  // Keeps what programs need of an object, from its JSON.
  using Parse = std::function<Result<T>(const nlohmann::json& object)>;

  // Called on the reflector's thread, outside the lock, in the order of the changes. `before` is
  // null for a new object, `after` for a deleted one. An unchanged resourceVersion is no change.
  using OnChange =
      std::function<void(const ObjectKey& key, const Pointer& before, const Pointer& after)>;

  // An object that `Parse` refused: it is kept out of the store, its last good version too.
  using OnError = std::function<void(const ObjectKey& key, const Error& error)>;

  explicit Store(Parse parse, OnError on_error = {})
      : parse_(std::move(parse)), on_error_(std::move(on_error)) {}

  // Before the reflector starts. Callbacks may read the store.
  void AddListener(OnChange on_change) { listeners_.push_back(std::move(on_change)); }

  // Null where there is none.
  Pointer Get(const std::string& namespace_name, const std::string& name) const
      SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return Find(namespace_name, name);
  }

  // The same, after waiting up to `timeout` for it to appear.
  Pointer WaitFor(const std::string& namespace_name, const std::string& name,
                  std::chrono::milliseconds timeout) const SHM_EXCLUDES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    MutexLock lock(mutex_);
    for (;;) {
      if (Pointer found = Find(namespace_name, name)) return found;
      if (!changed_.WaitUntil(mutex_, deadline)) return Find(namespace_name, name);
    }
  }

  // All of a namespace, by name: a shared snapshot, never null. A range-for needs it in a variable.
  std::shared_ptr<const Snapshot> List(const std::string& namespace_name) const
      SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return table_.SnapshotOf(namespace_name);
  }

  // All of them, by namespace and name.
  Snapshot All() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return table_.All();
  }

  std::size_t Size() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return table_.size();
  }

  // Whether a list was completed once: before that an absent object means nothing.
  bool HasSynced() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return synced_;
  }

  // True once synced, false when `timeout` passed before.
  bool WaitForSync(std::chrono::milliseconds timeout) const SHM_EXCLUDES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    MutexLock lock(mutex_);
    while (!synced_) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    return synced_;
  }

  // ObjectSink, for the reflector.
  void BeginList() override { listing_.emplace(); }
  void Upsert(const ObjectKey& key, const nlohmann::json& object) override SHM_EXCLUDES(mutex_);
  void Remove(const ObjectKey& key) override SHM_EXCLUDES(mutex_);
  void EndList() override SHM_EXCLUDES(mutex_);

 private:
  using Entry = typename ObjectTable<T>::Entry;

  struct Change {
    ObjectKey key;
    Pointer before;
    Pointer after;
  };

  // What is known of the object: from the list that is being read, else held. Nothing: neither.
  std::optional<Entry> Known(const ObjectKey& key) const SHM_EXCLUDES(mutex_) {
    if (listing_) {
      const auto listed = listing_->find(key);
      if (listed != listing_->end()) return listed->second;
    }
    MutexLock lock(mutex_);
    const Entry* held = table_.Find(key.namespace_name, key.name);
    return held == nullptr ? std::nullopt : std::optional<Entry>(*held);
  }

  Pointer Find(const std::string& namespace_name, const std::string& name) const
      SHM_REQUIRES(mutex_) {
    const Entry* held = table_.Find(namespace_name, name);
    return held == nullptr ? nullptr : held->object;
  }

  void Tell(const ObjectKey& key, const Pointer& before, const Pointer& after) const {
    if (!before && !after) return;
    for (const OnChange& listener : listeners_) listener(key, before, after);
  }

  const Parse parse_;
  const OnError on_error_;
  std::vector<OnChange> listeners_;
  std::optional<std::map<ObjectKey, Entry>> listing_;  // of the reflector's thread: set in a list
  mutable Mutex mutex_;
  mutable CondVar changed_;
  ObjectTable<T> table_ SHM_GUARDED_BY(mutex_);
  bool synced_ SHM_GUARDED_BY(mutex_) = false;
};

template <typename T>
void Store<T>::Upsert(const ObjectKey& key, const nlohmann::json& object) {
  const ObjectVersion version = VersionOf(object);
  if (std::optional<Entry> known = Known(key); known && known->Is(version)) {
    if (listing_) (*listing_)[key] = *std::move(known);
    return;
  }
  // Parsed outside the lock: the one writer is this thread.
  Result<T> parsed = parse_(object);
  if (!parsed.ok() && on_error_) on_error_(key, parsed.error());
  Entry entry{parsed.ok() ? std::make_shared<const T>(std::move(parsed).value()) : nullptr,
              version.uid, version.resource_version};
  if (listing_) {
    (*listing_)[key] = std::move(entry);
    return;
  }
  const Pointer after = entry.object;
  Pointer before;
  {
    MutexLock lock(mutex_);
    before = table_.Put(key, std::move(entry));
  }
  changed_.NotifyAll();
  Tell(key, before, after);
}

template <typename T>
void Store<T>::Remove(const ObjectKey& key) {
  if (listing_) {
    listing_->erase(key);
    return;
  }
  Pointer before;
  {
    MutexLock lock(mutex_);
    before = table_.Take(key);
  }
  changed_.NotifyAll();
  Tell(key, before, nullptr);
}

template <typename T>
void Store<T>::EndList() {
  const auto listed = std::exchange(listing_, std::nullopt).value_or(std::map<ObjectKey, Entry>());
  std::vector<Change> changes;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, entry] : listed) {
      const Entry* held = table_.Find(key.namespace_name, key.name);
      if (held != nullptr && held->Is({entry.uid, entry.resource_version})) continue;
      changes.push_back({key, table_.Put(key, entry), entry.object});
    }
    const auto was_listed = [&listed](const ObjectKey& key) { return listed.count(key) != 0; };
    for (const ObjectKey& key : table_.KeysBut(was_listed)) {
      changes.push_back({key, table_.Take(key), nullptr});
    }
    synced_ = true;
  }
  changed_.NotifyAll();
  for (const Change& change : changes) Tell(change.key, change.before, change.after);
}

}  // namespace shm::kube
