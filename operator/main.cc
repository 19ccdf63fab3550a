#include "kube/http_transport.h"
#include "operator/app.h"
#include "runtime/signals.h"

int main(int argc, char** argv) {
  // Signals first: threads that are started before would not have them blocked.
  shm::runtime::Signals signals;
  shm::kube::InitializeClientThreads();
  return shm::controller::Main({argv + 1, argv + argc}, signals);
}
