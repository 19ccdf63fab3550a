// Objects by namespace and name, and snapshots of a namespace: what a Store holds under its lock.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kube/object_sink.h"
#include "kube/scope.h"

namespace shm::kube {

// Not thread-safe.
template <typename T>
class ObjectTable {
 public:
  using Pointer = std::shared_ptr<const T>;
  using Snapshot = std::vector<Pointer>;

  struct Entry {
    Pointer object;  // null: there is one, but it could not be read
    std::string uid;
    std::string resource_version;

    bool Is(const ObjectVersion& version) const {
      return !version.resource_version.empty() && uid == version.uid &&
             resource_version == version.resource_version;
    }
  };

  // Null where there is none; valid until the next change.
  const Entry* Find(const std::string& namespace_name, const std::string& name) const {
    const auto space = namespaces_.find(namespace_name);
    if (space == namespaces_.end()) return nullptr;
    const auto entry = space->second.entries.find(name);
    return entry == space->second.entries.end() ? nullptr : &entry->second;
  }

  // Returns the object that was there before.
  Pointer Put(const ObjectKey& key, Entry entry) {
    Namespace& space = namespaces_[key.namespace_name];
    Entry& held = space.entries[key.name];
    std::swap(held, entry);
    space.snapshot = nullptr;
    size_ += (held.object ? 1 : 0);
    size_ -= (entry.object ? 1 : 0);
    return std::move(entry.object);
  }

  // Takes the entry out and returns its object.
  Pointer Take(const ObjectKey& key) {
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

  // The readable objects of a namespace, by name: shared, made anew only after a change. Not null.
  std::shared_ptr<const Snapshot> SnapshotOf(const std::string& namespace_name) const {
    const auto found = namespaces_.find(namespace_name);
    if (found == namespaces_.end()) return std::make_shared<const Snapshot>();
    const Namespace& space = found->second;
    if (!space.snapshot) {
      auto made = std::make_shared<Snapshot>();
      made->reserve(space.entries.size());
      AppendTo(*made, space);
      space.snapshot = std::move(made);
    }
    return space.snapshot;
  }

  // All readable objects, by namespace and name.
  Snapshot All() const {
    Snapshot all;
    all.reserve(size_);
    for (const auto& [name, space] : namespaces_) AppendTo(all, space);
    return all;
  }

  // Keys of entries within `scope` that `keep` refuses. Of one namespace it looks at no other.
  template <typename Keep>
  std::vector<ObjectKey> KeysBut(const Scope& scope, const Keep& keep) const {
    const bool all = scope.namespace_name.empty();
    std::vector<ObjectKey> keys;
    for (auto space = all ? namespaces_.begin() : namespaces_.find(scope.namespace_name);
         space != namespaces_.end(); space = all ? std::next(space) : namespaces_.end()) {
      for (const auto& [name, entry] : space->second.entries) {
        ObjectKey key{space->first, name};
        if (scope.Covers(key) && !keep(key)) keys.push_back(std::move(key));
      }
    }
    return keys;
  }

  std::size_t size() const { return size_; }  // readable objects

 private:
  struct Namespace {
    std::map<std::string, Entry> entries;
    mutable std::shared_ptr<const Snapshot> snapshot;  // null: to be made
  };

  static void AppendTo(Snapshot& snapshot, const Namespace& space) {
    for (const auto& [name, entry] : space.entries) {
      if (entry.object) snapshot.push_back(entry.object);
    }
  }

  std::map<std::string, Namespace> namespaces_;
  std::size_t size_ = 0;
};

}  // namespace shm::kube
