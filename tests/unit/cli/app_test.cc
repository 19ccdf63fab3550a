#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "manifest/yaml_reader.h"
#include "tests/support/shell.h"
#include "tests/unit/cli/run.h"

namespace shm::cli {
namespace {

nlohmann::json Json(const Words& args, const std::string& input = "") {
  Words all = args;
  all.insert(all.end(), {"--output", "json"});
  return nlohmann::json::parse(RunWith(all, input).out);
}

const std::string kExtendFails =
    "misc/shmutils.cc:87 NCCL WARN Error: failed to extend /dev/shm/nccl-XXXXXX to 9637892 bytes, "
    "error: No space left on device (28)";

TEST_CASE("Bad input ends with 2, names the flag and the value, and leaves stdout empty") {
  struct Case {
    Words args;
    std::string flag;
    std::string value;
  };
  const std::vector<Case> cases = {
      {{}, "a command is required", "size, explain, render, check"},
      {{"sizes"}, "\"sizes\" is no command", "size, explain, render, check"},
      {{"--tp", "2"}, "\"--tp\" is no flag", "before a command"},
      {{"size"}, "--gpus", "not given"},
      {{"size", "--tp", "0"}, "--tp", "\"0\""},
      {{"size", "--tp", "-3"}, "--tp", "\"-3\""},
      {{"size", "--tp=2.0"}, "--tp", "\"2.0\""},
      {{"size", "--tp="}, "--tp", ""},
      {{"size", "--pp", "1025"}, "--pp", "\"1025\""},
      {{"size", "--dp", "99999999999999999999"}, "--dp", "\"99999999999999999999\""},
      {{"size", "--gpus", "two"}, "--gpus", "\"two\""},
      {{"size", "--tp", "64", "--pp", "32"}, "--tp, --pp, --dp", "2048"},
      {{"size", "--gpus", "2", "--communicators", "0"}, "--communicators", "\"0\""},
      {{"size", "--gpus", "2", "--env", "NCCL_P2P_DISABLE"}, "--env", "\"NCCL_P2P_DISABLE\""},
      {{"size", "--gpus", "2", "--env", "=1"}, "--env", "\"=1\""},
      {{"size", "--gpus", "2", "--engine", "vlm"}, "--engine", "\"vlm\""},
      {{"size", "--gpus", "2", "--size-per-gpu", "1Gb"}, "--size-per-gpu", "\"1Gb\""},
      {{"size", "--gpus", "2", "--size-per-gpu", "-1Gi"}, "--size-per-gpu", "\"-1Gi\""},
      {{"size", "--gpus", "2", "--max-size", "0"}, "--max-size", "\"0\""},
      {{"size", "--gpus", "2", "--max-size", "9Ei"}, "--max-size", "\"9Ei\""},
      {{"size", "--gpus", "2", "--memory-limit", "x"}, "--memory-limit", "\"x\""},
      {{"size", "--gpus", "2", "--output", "xml"}, "--output", "xml"},
      {{"size", "--gpu", "2"}, "size has no flag \"--gpu\"", "See shmctl size --help."},
      {{"size", "2"}, "size does not expect \"2\"", "See shmctl size --help."},
      {{"check", "--webhook", "on"}, "--webhook", "See shmctl check --help."},
      {{"explain"}, "line", ""},
      {{"explain", "a", "-f", "-"}, "line", ""},
      {{"explain", "-f", "/does/not/exist"}, "--filename", "/does/not/exist"},
      {{"explain", "a", "b"}, "explain does not expect \"b\"", ""},
      {{"explain", "a", "--output", "xml"}, "--output", "xml"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = RunWith(c.args);
    INFO((c.args.empty() ? "no arguments" : c.args.back()) << ": " << outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(Has(outcome.err, c.flag));
    CHECK(Has(outcome.err, c.value));
  }
}

TEST_CASE("kubectl's plugin sends to its own help") {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  CHECK(RunAs("/usr/bin/kubectl-shm", {"size", "--gpu", "2"}, in, out, err) == 2);
  CHECK(Has(err.str(), "See kubectl shm size --help."));
}

TEST_CASE("A quantity that is none is said once") {
  const Outcome outcome = RunWith({"size", "--gpus", "2", "--max-size", "3gb"});
  CHECK(outcome.err.find("3gb") == outcome.err.rfind("3gb"));
}

TEST_CASE("Help documents the exit codes, and the version is the project's") {
  for (const Words& args : {Words{"--help"}, Words{"size", "--help"}, Words{"explain", "--help"},
                            Words{"render", "--help"}, Words{"scan", "--help"}}) {
    const Outcome outcome = RunWith(args);
    CHECK(outcome.code == 0);
    CHECK(Has(outcome.out, "Exit codes:"));
    CHECK(Has(outcome.out, "bad input"));
    CHECK(outcome.err.empty());
  }
  CHECK(Has(RunWith({"size", "--help"}).out, "--communicators"));
  const Outcome version = RunWith({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out == "shmctl " SHM_VERSION "\n");
}

TEST_CASE("The size follows GPUs, degrees, engine, env and bounds") {
  struct Case {
    Words args;
    std::int64_t size, nccl, provision, engine;  // MiB, rounded up
  };
  const std::vector<Case> cases = {
      {{"--gpus", "1"}, 1024, 0, 0, 0},
      {{"--tp", "2"}, 2048, 0, 516, 0},
      {{"--tp", "2", "--pp", "2"}, 4096, 0, 1547, 0},
      {{"--tp", "2", "--dp", "2"}, 4096, 0, 1547, 0},
      {{"--tp", "16", "--gpus", "2"}, 2048, 0, 516, 0},
      {{"--gpus", "2", "--engine", "vllm"}, 2048, 0, 516, 640},
      {{"--gpus", "2", "--engine", "vllm", "--size-per-gpu", "512Mi"}, 1156, 0, 516, 640},
      {{"--gpus", "2", "--engine", "sglang"}, 2048, 0, 516, 0},
      {{"--gpus", "2", "--engine", "ray", "--memory-limit", "10Gi"}, 3588, 0, 516, 3072},
      {{"--gpus", "2", "--communicators", "1", "--env", "NCCL_CUMEM_ENABLE=0"}, 2048, 131, 333, 0},
      {{"--gpus", "2", "--env", "NCCL_P2P_DISABLE=1", "NCCL_CUMEM_ENABLE=0"}, 2048, 1332, 1332, 0},
      {{"--gpus", "2", "--env", "NCCL_P2P_DISABLE=1", "--env", "NCCL_CUMEM_ENABLE=0",
        "--communicators", "7"},
       2331,
       2331,
       2331,
       0},
      {{"--gpus", "2", "--max-size", "1500Mi"}, 1500, 0, 516, 0},
  };
  const auto mebibytes = [](const nlohmann::json& bytes) {
    return RoundUpToMebibyte(bytes.get<std::int64_t>()) / kMebibyte;
  };
  for (const Case& c : cases) {
    Words args = {"size"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    const nlohmann::json json = Json(args);
    INFO(json.dump(2));
    CHECK(mebibytes(json.at("sizeBytes")) == c.size);
    CHECK(mebibytes(json.at("ncclBytes")) == c.nccl);
    CHECK(mebibytes(json.at("ncclProvisionBytes")) == c.provision);
    CHECK(mebibytes(json.at("engineBytes")) == c.engine);
    CHECK(Has(json.at("reason"), args[2] == "1" ? "1Gi × 1 GPU = 1Gi" : "max("));
    CHECK(RunWith(args).code == 0);
  }
}

TEST_CASE("Every measured row is answered with its peak, and with a size that holds it") {
  std::ifstream file(SHM_TEST_DATA "/nccl-shm-h100x2.jsonl");
  REQUIRE(file.is_open());
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json row = nlohmann::json::parse(line);
    if (!row.at("ok")) continue;
    ++rows;
    Words args = {"size", "--gpus", row.at("ranks").dump(), "--communicators",
                  row.at("communicators").dump()};
    for (const auto& [name, value] : row.at("env").items()) {
      args.insert(args.end(), {"--env", name + "=" + value.get<std::string>()});
    }
    const nlohmann::json json = Json(args);
    const double peak = row.at("peak_shm_mib").get<double>();
    INFO(line << "\n" << json.dump(2));
    CHECK(json.at("ncclBytes").get<double>() / kMebibyte == Approx(peak).margin(0.1));
    CHECK(json.at("sizeBytes").get<double>() / kMebibyte >= peak - 0.05);
  }
  CHECK(rows == 31);
}

TEST_CASE("A size held below the need is a finding, said on stderr and in the warnings") {
  const Words args = {"size", "--gpus", "2", "--engine", "vllm", "--max-size", "1Gi"};
  const Outcome outcome = RunWith(args);
  CHECK(outcome.code == 1);
  CHECK(Has(outcome.err, "warning: BelowComputedNeed: 1Gi is below the computed need of 1156Mi"));
  CHECK(Has(outcome.err, "warning: CappedAtMaxSize"));
  CHECK(Has(outcome.out, "Size:   1Gi (1073741824 bytes)"));
  CHECK(Json(args).at("warnings").size() == 2);
}

TEST_CASE("What cannot be told or does not fit is a warning, and the answer stands") {
  struct Case {
    Words args;
    std::string warning;
  };
  const std::vector<Case> cases = {
      {{"size", "--gpus", "2", "--tp", "3"}, "3 GPUs do not divide by the pod's 2"},
      {{"size", "--gpus", "2", "--env", "NCCL_BUFFSIZE=\xff"}, "NCCL_BUFFSIZE"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = RunWith(c.args);
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(Has(outcome.err, c.warning));
    CHECK(Has(Json(c.args).at("warnings").dump(), c.warning));
  }
}

TEST_CASE("Without doubts nothing is warned of") {
  for (const char* engine : {"vllm", "sglang", "tensorrt-llm", "lmdeploy", "tgi"}) {
    const Outcome outcome = RunWith({"size", "--gpus", "4", "--engine", engine});
    INFO(engine << ": " << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
  }
}

TEST_CASE("The text says the arithmetic, the emptyDir and Docker's flag") {
  struct Case {
    std::string per_gpu, quantity, docker;
  };
  const std::vector<Case> cases = {{"1Gi", "2Gi", "2g"}, {"1100Mi", "2200Mi", "2200m"}};
  for (const Case& c : cases) {
    const std::string out = RunWith({"size", "--gpus", "2", "--size-per-gpu", c.per_gpu}).out;
    INFO(out);
    CHECK(Has(out, "max(" + c.per_gpu + " × 2 GPUs, need 516Mi"));
    CHECK(Has(out, "medium: Memory\n        sizeLimit: " + c.quantity + "\n"));
    CHECK(Has(out, "docker run --shm-size=" + c.docker + "\n"));
  }
}

TEST_CASE("A line is explained from the argument and from stdin alike") {
  for (const std::string& input : {std::string(), kExtendFails + "\n", kExtendFails}) {
    const Words args = {"explain", input.empty() ? kExtendFails : "-"};
    const Outcome outcome = RunWith(args, input);
    CHECK(outcome.code == 0);
    CHECK(Has(outcome.out, "Cause: "));
    CHECK(Has(outcome.out, "Cure:  "));
    const nlohmann::json json = Json(args, input);
    CHECK(json.at("known") == true);
    CHECK(json.at("bytes") == 9637892);
    CHECK(json.at("line") == kExtendFails);
    CHECK_FALSE(json.at("cause").get<std::string>().empty());
    CHECK_FALSE(json.at("cure").get<std::string>().empty());
  }
}

TEST_CASE("A log is read from a file and from stdin") {
  const test::TempDir folder;
  const std::string path = folder.path() + "/log";
  std::ofstream(path) << "starting\n" << kExtendFails << "\n";
  CHECK(Json({"explain", "-f", path}).at("bytes") == 9637892);
  CHECK(Json({"explain", "-f", "-"}, kExtendFails).at("bytes") == 9637892);
}

TEST_CASE("YAML says what JSON says") {
  for (const Words& args : {Words{"size", "--tp", "2", "--engine", "vllm"},
                            Words{"explain", kExtendFails}, Words{"explain", "who knows"}}) {
    Words yaml = args;
    yaml.insert(yaml.end(), {"--output", "yaml"});
    const auto read = manifest::ReadYaml(RunWith(yaml).out);
    REQUIRE(std::holds_alternative<manifest::Json>(read));
    CHECK(nlohmann::json(std::get<manifest::Json>(read)) == Json(args));
  }
}

TEST_CASE("Of a log on stdin the first line that calls for a cure is explained") {
  const std::string second = "x: failed to extend /dev/shm/nccl-b to 34210180 bytes";
  const std::string noise(3 << 20, 'x');  // longer than a line is read
  const std::string log = "INFO start\n\n" + noise + "\n" + kExtendFails + "\n" + second + "\n";
  CHECK(Json({"explain", "-"}, log).at("bytes") == 9637892);
}

TEST_CASE("A line that is not known says so and ends with 1") {
  for (const std::string& line : {std::string("hello"), std::string("\xff\xfe"), std::string()}) {
    const Outcome outcome = RunWith({"explain", "-"}, line);
    CHECK(outcome.code == 1);
    CHECK(Has(outcome.out, "not known"));
    const nlohmann::json json = Json({"explain", "-"}, line);
    CHECK(json.at("known") == false);
    CHECK(json.at("bytes").is_null());
  }
  CHECK(RunWith({"explain", "[0]"}).code == 1);
}

}  // namespace
}  // namespace shm::cli
