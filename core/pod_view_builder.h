// Builds a PodView from JSON events, without a document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pod_view.h"
#include "core/selective_sax.h"

namespace shm {

// Takes the events of one pod, from the start_object of the pod to its end_object; the webhook
// drives it from inside an AdmissionReview. Values of a wrong type and entries beyond a limit are
// remembered as an error and read over: reading goes on, so that what follows the pod is seen too.
// Only a depth of more than kMaxPodDepth makes an event return false. Of duplicate keys the last
// wins. Not thread-safe; one object builds one view.
class PodViewBuilder : public SelectiveSax {
 public:
  PodViewBuilder() { stack_.reserve(16); }

  bool null() override;
  bool boolean(bool value) override;
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const string_t& text) override;
  bool string(string_t& value) override { return PlainString(value); }
  bool PlainString(std::string_view text) override;
  bool binary(binary_t& value) override;
  bool start_object(std::size_t elements) override;
  bool key(string_t& value) override { return PlainKey(value); }
  bool PlainKey(std::string_view text) override;
  bool WantsValue() const override;
  bool end_object() override;
  bool start_array(std::size_t elements) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& error) override;

  // The view, moved out, or the first thing that was wrong.
  Result<PodView> Take();

  enum class Node;  // what a value is, by its place in the pod

 private:
  struct Frame {
    Node node;
    std::size_t elements = 0;  // of a list, seen so far
  };

  Node Next();
  bool HasRoomFor(Node entry);
  bool TakeKey(std::string_view text);
  bool TakesName(Node node, std::string_view text);
  bool Push(Node node);
  bool Number(std::string_view text);
  void Clear(Node node);
  void Begin(Node node);
  void SetText(Node node, std::string_view text);
  void SetContainerText(Node node, std::string_view text);
  void Fail(Node node, const std::string& message);
  std::string FieldPath() const;
  ContainerView& container() {
    return in_init_ ? view_.init_containers.back() : view_.containers.back();
  }

  PodView view_;
  std::optional<Error> error_;
  std::vector<Frame> stack_;
  std::string key_;    // the last key of a map: others are told by their nodes
  Node pending_ = {};  // what the value after it is
  std::size_t containers_ = 0;
  std::size_t entries_ = 0;  // of lists and maps
  bool in_init_ = false;
  StringMap* map_ = nullptr;            // the labels, annotations, requests or limits being read
  ResourcesView* resources_ = nullptr;  // likewise
  std::vector<std::string>* texts_ = nullptr;  // command or args
};

}  // namespace shm
