// Parsed objects by namespace and name, as a Reflector keeps them.
#pragma once

#include <algorithm>
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
#include "kube/scope.h"

namespace shm::kube {

// Thread-safe. Any thread reads. One Reflector writes through the store itself, or several do, each
// through a Part of its own. Objects are immutable and outlive their removal while somebody holds
// them. A list becomes visible as a whole, when it is complete.
template <typename T>
class Store : public ObjectSink {
 public:
  using Pointer = typename ObjectTable<T>::Pointer;
  using Snapshot = typename ObjectTable<T>::Snapshot;

  // Keeps what programs need of an object, from its JSON. On any reflector's thread.
  using Parse = std::function<Result<T>(const nlohmann::json& object)>;

  // Called on the thread of the reflector that follows the object, outside the lock, in the order
  // of its changes. `before` is null for a new object, `after` for a deleted one. An unchanged
  // resourceVersion is no change.
  using OnChange =
      std::function<void(const ObjectKey& key, const Pointer& before, const Pointer& after)>;

  // An object that `Parse` refused: it is kept out of the store, its last good version too.
  using OnError = std::function<void(const ObjectKey& key, const Error& error)>;

  explicit Store(Parse parse, OnError on_error = {})
      : parse_(std::move(parse)), on_error_(std::move(on_error)) {}

  // The sink of a reflector that follows `scope` alone: its lists say nothing of other objects, and
  // what it shows of others is not taken. Before any reflector starts, once for each scope; scopes
  // must not overlap. Lives as long as the store, whose own sink then is nobody's.
  ObjectSink& Part(Scope scope) {
    parts_.push_back(std::make_unique<Writer>(*this, std::move(scope)));
    return *parts_.back();
  }

  // Whether some reflector follows what is there: else its absence means nothing, ever.
  bool Follows(const ObjectKey& key) const {
    return parts_.empty() || std::any_of(parts_.begin(), parts_.end(), [&key](const auto& part) {
             return part->scope().Covers(key);
           });
  }

  // Before the reflectors start. Callbacks may read the store.
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

  // Whether a list was completed once, by each part: before that an absent object means nothing.
  bool HasSynced() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return AllListed();
  }

  // The same of the part that would show the object. A key without a name asks for a namespace.
  bool HasSynced(const ObjectKey& key) const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return std::any_of(listed_.begin(), listed_.end(),
                       [&key](const Scope& scope) { return scope.Covers(key); });
  }

  // True once synced, false when `timeout` passed before.
  bool WaitForSync(std::chrono::milliseconds timeout) const SHM_EXCLUDES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    MutexLock lock(mutex_);
    while (!AllListed()) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    return AllListed();
  }

  // ObjectSink, for the one reflector of a store without parts.
  void BeginList() override { whole_.BeginList(); }
  void Upsert(const ObjectKey& key, const nlohmann::json& object) override {
    whole_.Upsert(key, object);
  }
  void Remove(const ObjectKey& key) override { whole_.Remove(key); }
  void EndList() override { whole_.EndList(); }

 private:
  using Entry = typename ObjectTable<T>::Entry;
  using Entries = std::map<ObjectKey, Entry>;

  struct Change {
    ObjectKey key;
    Pointer before;
    Pointer after;
  };

  // What one reflector writes, and the list that it is reading.
  class Writer : public ObjectSink {
   public:
    Writer(Store& store, Scope scope) : store_(store), scope_(std::move(scope)) {}
    const Scope& scope() const { return scope_; }

    void BeginList() override { listing_.emplace(); }
    void Upsert(const ObjectKey& key, const nlohmann::json& object) override;
    void Remove(const ObjectKey& key) override;
    void EndList() override {
      store_.Replace(scope_, std::exchange(listing_, std::nullopt).value_or(Entries()));
    }

   private:
    // What is known of the object: from the list that is being read, else held. Nothing: neither.
    std::optional<Entry> Known(const ObjectKey& key) const {
      if (listing_) {
        const auto listed = listing_->find(key);
        if (listed != listing_->end()) return listed->second;
      }
      return store_.Held(key);
    }

    Store& store_;
    const Scope scope_;
    std::optional<Entries> listing_;  // of the reflector's thread: set in a list
  };

  Entry Read(const ObjectKey& key, const nlohmann::json& object) const;
  void Put(const ObjectKey& key, Entry entry) SHM_EXCLUDES(mutex_);
  void Take(const ObjectKey& key) SHM_EXCLUDES(mutex_);
  void Replace(const Scope& scope, Entries listed) SHM_EXCLUDES(mutex_);

  std::optional<Entry> Held(const ObjectKey& key) const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const Entry* held = table_.Find(key.namespace_name, key.name);
    return held == nullptr ? std::nullopt : std::optional<Entry>(*held);
  }

  bool AllListed() const SHM_REQUIRES(mutex_) {
    return listed_.size() == std::max<std::size_t>(parts_.size(), 1);
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
  Writer whole_{*this, {}};
  std::vector<std::unique_ptr<Writer>> parts_;  // constant once the reflectors run
  mutable Mutex mutex_;
  mutable CondVar changed_;
  ObjectTable<T> table_ SHM_GUARDED_BY(mutex_);
  std::vector<Scope> listed_ SHM_GUARDED_BY(mutex_);  // of which a list was completed, each once
};

}  // namespace shm::kube

#include "kube/store_writes.h"
