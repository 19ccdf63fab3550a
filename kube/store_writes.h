// How reflectors write into a Store: the second half of kube/store.h, which alone includes it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kube/store.h"

namespace shm::kube {

template <typename T>
void Store<T>::Writer::Upsert(const ObjectKey& key, const nlohmann::json& object) {
  if (!scope_.Covers(key)) return;
  const ObjectVersion version = VersionOf(object);
  if (std::optional<Entry> known = Known(key); known && known->Is(version)) {
    if (listing_) (*listing_)[key] = *std::move(known);
    return;
  }
  // Parsed outside the lock: nobody else writes this object.
  Entry entry = store_.Read(key, object);
  if (listing_) {
    (*listing_)[key] = std::move(entry);
  } else {
    store_.Put(key, std::move(entry));
  }
}

template <typename T>
void Store<T>::Writer::Remove(const ObjectKey& key) {
  if (!scope_.Covers(key)) return;
  if (listing_) {
    listing_->erase(key);
  } else {
    store_.Take(key);
  }
}

template <typename T>
typename Store<T>::Entry Store<T>::Read(const ObjectKey& key, const nlohmann::json& object) const {
  ObjectVersion version = VersionOf(object);
  Result<T> parsed = parse_(object);
  if (!parsed.ok() && on_error_) on_error_(key, parsed.error());
  return {parsed.ok() ? std::make_shared<const T>(std::move(parsed).value()) : nullptr,
          std::move(version.uid), std::move(version.resource_version)};
}

template <typename T>
void Store<T>::Put(const ObjectKey& key, Entry entry) {
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
void Store<T>::Take(const ObjectKey& key) {
  Pointer before;
  {
    MutexLock lock(mutex_);
    before = table_.Take(key);
  }
  changed_.NotifyAll();
  Tell(key, before, nullptr);
}

// Makes `listed` all that there is of `scope`.
template <typename T>
void Store<T>::Replace(const Scope& scope, Entries listed) {
  std::vector<Change> changes;
  {
    MutexLock lock(mutex_);
    const auto gone =
        table_.KeysBut(scope, [&listed](const ObjectKey& key) { return listed.count(key) != 0; });
    // What the list held goes as the table grows: they are never there twice.
    while (!listed.empty()) {
      auto node = listed.extract(listed.begin());
      const ObjectKey& key = node.key();
      Entry& entry = node.mapped();
      const Entry* held = table_.Find(key.namespace_name, key.name);
      if (held != nullptr && held->Is({entry.uid, entry.resource_version})) continue;
      const Pointer after = entry.object;
      Pointer before = table_.Put(key, std::move(entry));
      changes.push_back({std::move(node.key()), std::move(before), after});
    }
    for (const ObjectKey& key : gone) changes.push_back({key, table_.Take(key), nullptr});
    if (std::find(listed_.begin(), listed_.end(), scope) == listed_.end()) {
      listed_.push_back(scope);
    }
  }
  changed_.NotifyAll();
  for (const Change& change : changes) Tell(change.key, change.before, change.after);
}

}  // namespace shm::kube
