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

#include "core/result.h"
#include "kube/mutex.h"
#include "kube/object_sink.h"

namespace shm::kube {

// Thread-safe. One Reflector writes, any thread reads. Objects are immutable and outlive their
// removal while somebody holds them. A list becomes visible as a whole, when it is complete.
template <typename T>
class Store : public ObjectSink {
 public:
  using Pointer = std::shared_ptr<const T>;
  using Snapshot = std::vector<Pointer>;

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

  // All of a namespace, by name: a shared snapshot, made anew only after a change. Never null.
  std::shared_ptr<const Snapshot> List(const std::string& namespace_name) const
      SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto found = namespaces_.find(namespace_name);
    if (found == namespaces_.end()) return std::make_shared<const Snapshot>();
    return SnapshotOf(found->second);
  }

  // All of them, by namespace and name.
  Snapshot All() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Snapshot all;
    all.reserve(size_);
    for (const auto& [unused, space] : namespaces_) {
      for (const auto& [name, entry] : space.entries) {
        if (entry.object) all.push_back(entry.object);
      }
    }
    return all;
  }

  std::size_t Size() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return size_;
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
  struct Entry {
    Pointer object;  // null: refused by parse_
    std::string uid;
    std::string resource_version;

    bool Is(const ObjectVersion& version) const {
      return !version.resource_version.empty() && uid == version.uid &&
             resource_version == version.resource_version;
    }
  };
  struct Namespace {
    std::map<std::string, Entry> entries;
    mutable std::shared_ptr<const Snapshot> snapshot;  // null: to be made
  };

  Pointer Find(const std::string& namespace_name, const std::string& name) const
      SHM_REQUIRES(mutex_) {
    const Entry* held = Held(namespace_name, name);
    return held == nullptr ? nullptr : held->object;
  }

  std::shared_ptr<const Snapshot> SnapshotOf(const Namespace& space) const SHM_REQUIRES(mutex_) {
    if (!space.snapshot) {
      auto made = std::make_shared<Snapshot>();
      made->reserve(space.entries.size());
      for (const auto& [name, entry] : space.entries) {
        if (entry.object) made->push_back(entry.object);
      }
      space.snapshot = std::move(made);
    }
    return space.snapshot;
  }

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
    const Entry* held = Held(key.namespace_name, key.name);
    return held == nullptr ? std::nullopt : std::optional<Entry>(*held);
  }

  const Entry* Held(const std::string& namespace_name, const std::string& name) const
      SHM_REQUIRES(mutex_) {
    const auto space = namespaces_.find(namespace_name);
    if (space == namespaces_.end()) return nullptr;
    const auto entry = space->second.entries.find(name);
    return entry == space->second.entries.end() ? nullptr : &entry->second;
  }

  // Holds the entry and returns the object that was there before.
  Pointer Put(const ObjectKey& key, Entry entry) SHM_REQUIRES(mutex_) {
    Namespace& space = namespaces_[key.namespace_name];
    Entry& held = space.entries[key.name];
    std::swap(held, entry);
    space.snapshot = nullptr;
    size_ += (held.object ? 1 : 0);
    size_ -= (entry.object ? 1 : 0);
    return std::move(entry.object);
  }

  // Takes the entry out and returns its object.
  Pointer Take(const ObjectKey& key) SHM_REQUIRES(mutex_) {
    const auto space = namespaces_.find(key.namespace_name);
    if (space == namespaces_.end()) return nullptr;
    const auto entry = space->second.entries.find(key.name);
    if (entry == space->second.entries.end()) return nullptr;
    Pointer taken = std::move(entry->second.object);
    space->second.entries.erase(entry);
    space->second.snapshot = nullptr;
    if (space->second.entries.empty()) namespaces_.erase(space);
    if (taken) --size_;
    return taken;
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
  std::map<std::string, Namespace> namespaces_ SHM_GUARDED_BY(mutex_);
  std::size_t size_ SHM_GUARDED_BY(mutex_) = 0;
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
    before = Put(key, std::move(entry));
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
    before = Take(key);
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
      const Entry* held = Held(key.namespace_name, key.name);
      if (held != nullptr && held->Is({entry.uid, entry.resource_version})) continue;
      changes.push_back({key, Put(key, entry), entry.object});
    }
    std::vector<ObjectKey> gone;
    for (const auto& [namespace_name, space] : namespaces_) {
      for (const auto& [name, entry] : space.entries) {
        if (listed.count({namespace_name, name}) == 0) gone.push_back({namespace_name, name});
      }
    }
    for (const ObjectKey& key : gone) changes.push_back({key, Take(key), nullptr});
    synced_ = true;
  }
  changed_.NotifyAll();
  for (const Change& change : changes) Tell(change.key, change.before, change.after);
}

}  // namespace shm::kube
