// write_log STATE_DB TASKS: the log of a finished run of so many tasks (23 events each), for measuring what looks at
// it.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "bench_run.hpp"
#include "bernstein/store/store.hpp"

int main(int argc, char** argv) {
  using namespace bernstein;
  const long tasks = argc == 3 ? std::strtol(argv[2], nullptr, 10) : 0;
  if (tasks < 1 || tasks > 1'000'000) {
    std::fprintf(stderr, "usage: write_log STATE_DB TASKS\n");
    return 2;
  }
  bench::Run run(static_cast<std::uint32_t>(tasks), bench::Keep::records);
  while (run.step()) continue;
  std::vector<Record> records = run.take_records();
  Digest previous = run_genesis(RunId{1}, {});
  for (Record& record : records) {
    record.prev_hash = previous;
    record.hash = previous = chain_hash(record);
  }
  const Result<std::unique_ptr<port::EventLog>> log = store::open_log(argv[1]);
  const Status written = log ? (*log)->append(records) : Status(log.error());
  if (!written) {
    std::fprintf(stderr, "write_log: %s\n", written.error().message.c_str());
    return 6;
  }
  std::printf("%zu events\n", records.size());
}
