#include "kube/http_transport.h"
#include "runtime/signals.h"
#include "webhook/app.h"

int main(int argc, char** argv) {
  // Signals first: threads that are started before would not have them blocked.
  shm::runtime::Signals signals;
  shm::kube::InitializeClientThreads();
  return shm::webhook::Main({argv + 1, argv + argc}, signals);
}
