#include "support/memory_event_log.hpp"

#include <algorithm>
#include <set>

#include "bernstein/base/check.hpp"
#include "bernstein/event/codec.hpp"

namespace bernstein::test {
namespace {

Error conflict(const Record& record, const std::string& what) {
  return {ErrorCode::conflict, "event " + std::to_string(record.seq) + " does not continue the log: " + what};
}

const Record* last_of(const std::vector<Record>& records, RunId run) {
  const auto found = std::find_if(records.rbegin(), records.rend(), [&](const Record& r) { return r.run == run; });
  return found == records.rend() ? nullptr : &*found;
}

Status continues(const std::vector<Record>& records, const Record& record) {
  const Record* last = last_of(records, record.run);
  if (record.seq != static_cast<Seq>(records.size()) + 1) return conflict(record, "seq leaves a gap");
  if (record.cause < 0 || record.cause >= record.seq) return conflict(record, "cause is not an earlier event");
  if (record.run_seq != (last == nullptr ? 1 : last->run_seq + 1)) return conflict(record, "run_seq leaves a gap");
  const Digest before =
      last != nullptr ? last->hash : run_genesis(record.run, records.empty() ? Digest{} : records.back().hash);
  if (record.prev_hash != before) return conflict(record, "prev_hash is not the hash before it");
  if (last != nullptr && record.at_us < last->at_us) return conflict(record, "at_us goes back");
  return Ok{};
}

}  // namespace

Result<port::LogHead> MemoryEventLog::head() {
  port::LogHead head;
  if (records_.empty()) return head;
  head.last_seq = records_.back().seq;
  head.last_hash = records_.back().hash;
  for (const Record& record : records_) head.last_run = std::max(head.last_run, record.run);
  return head;
}

Result<std::vector<RunId>> MemoryEventLog::runs() {
  std::set<RunId> runs;
  for (const Record& record : records_) runs.insert(record.run);
  return std::vector<RunId>(runs.begin(), runs.end());
}

Status MemoryEventLog::read(RunId run, const std::function<bool(const Record&)>& visit) {
  return read_all([&](const Record& record) { return record.run != run || visit(record); });
}

Status MemoryEventLog::read_all(const std::function<bool(const Record&)>& visit) {
  const std::size_t committed = records_.size();
  for (std::size_t i = 0; i < committed; ++i) {
    const Record record = records_[i];  // a copy: visit may append
    if (!visit(record)) break;
  }
  return Ok{};
}

Result<Seq> MemoryEventLog::find_passed(const std::string& key) {
  Seq passed = 0;
  for (const Record& record : records_) {
    if (record.type != CheckFinished::type) continue;
    BERNSTEIN_TRY(const Event event, to_event(record));
    const auto& check = std::get<CheckFinished>(event.body);
    if (check.key == key && !check.stopped) passed = check.verdict == CheckVerdict::passed ? event.seq : 0;
  }
  return passed;
}

Result<std::optional<Resolution>> MemoryEventLog::find_resolution(const ConflictedPath& conflict) {
  std::optional<Resolution> found;
  for (const Record& record : records_) {
    if (record.type != MergeLanded::type) continue;
    BERNSTEIN_TRY(const Event event, to_event(record));
    for (const Resolution& known : std::get<MergeLanded>(event.body).resolutions) {
      if (known.base == conflict.base && known.ours == conflict.ours && known.theirs == conflict.theirs) found = known;
    }
  }
  return found;
}

Result<port::Table> MemoryEventLog::query(const std::string&) {
  return Error{ErrorCode::invalid_input, "a log in memory has no SQL"};
}

Status MemoryEventLog::append(std::span<const Record> records) {
  if (next_failure_) return *std::exchange(next_failure_, std::nullopt);
  const std::size_t before = records_.size();
  for (const Record& record : records) {
    BERNSTEIN_CHECK(record.hash == chain_hash(record), "an appended record carries its chain hash");
    if (Status fits = continues(records_, record); !fits) {
      records_.resize(before);
      return fits;
    }
    records_.push_back(record);
  }
  ++appends_;
  return Ok{};
}

}  // namespace bernstein::test
