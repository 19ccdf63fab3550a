// Takes the serving Secret, as it is reflected, into use.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/result.h"
#include "kube/object_sink.h"
#include "runtime/metrics.h"
#include "runtime/tls.h"

namespace shm::webhook {

// A Secret that is deleted, half written or damaged changes nothing: the last good pair stays in
// use (trap C4). Called by one reflector.
class ServingCertificate final : public kube::ObjectSink {
 public:
  // The Secret's name; others of the namespace are passed over.
  ServingCertificate(std::string secret, std::shared_ptr<runtime::ServerTls> tls,
                     runtime::Metrics& metrics);

  void BeginList() override { seen_in_list_ = false; }
  void Upsert(const kube::ObjectKey& key, const nlohmann::json& object) override;
  void Remove(const kube::ObjectKey& key) override;
  void EndList() override;

 private:
  Result<void> Use(const nlohmann::json& secret);

  const std::string secret_;
  const std::shared_ptr<runtime::ServerTls> tls_;
  runtime::Metrics& metrics_;
  bool seen_in_list_ = false;
};

}  // namespace shm::webhook
