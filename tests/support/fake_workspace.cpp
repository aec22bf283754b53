#include "support/fake_workspace.hpp"

#include <algorithm>
#include <utility>

#include "bernstein/base/check.hpp"
#include "bernstein/base/path.hpp"
#include "bernstein/base/sha256.hpp"

namespace bernstein::test {
namespace {

using Lock = std::lock_guard<std::mutex>;
using FileMap = FakeWorkspace::FileMap;
using Moment = FakeWorkspace::Moment;

std::string id_of(const std::string& bytes) {
  return to_hex(sha256(bytes)).substr(0, 40);
}

std::optional<std::string> find(const FileMap& files, const std::string& path) {
  const auto found = files.find(path);
  if (found == files.end()) return {};
  return found->second;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

// What both have in common at the beginning and at the end, and between them our lines before theirs.
std::string union_of(const std::string& ours, const std::string& theirs) {
  const std::vector<std::string> a = lines_of(ours);
  const std::vector<std::string> b = lines_of(theirs);
  const std::size_t least = std::min(a.size(), b.size());
  std::size_t first = 0;
  while (first < least && a[first] == b[first]) ++first;
  std::size_t last = 0;
  while (last < least - first && a[a.size() - 1 - last] == b[b.size() - 1 - last]) ++last;
  std::string both;
  for (std::size_t i = 0; i < a.size() - last; ++i) both += a[i];
  for (std::size_t i = first; i < b.size(); ++i) both += b[i];
  return both;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, path); });
}

void set(FileMap& files, const std::string& path, const std::optional<std::string>& text) {
  if (text) {
    files[path] = *text;
  } else {
    files.erase(path);
  }
}

std::vector<ChangedPath> compare(const FileMap& before, const FileMap& after) {
  std::map<std::string, ChangeKind> kinds;
  for (const auto& [path, text] : before) {
    if (!after.contains(path)) kinds.emplace(path, ChangeKind::deleted);
  }
  for (const auto& [path, text] : after) {
    const auto old = find(before, path);
    if (!old) kinds.emplace(path, ChangeKind::added);
    if (old && *old != text) kinds.emplace(path, ChangeKind::modified);
  }
  std::vector<ChangedPath> changes;
  for (const auto& [path, kind] : kinds) changes.push_back({kind, path});
  return changes;
}

bool has_path(const FileMap& files, const std::string& path) {
  return std::any_of(files.begin(), files.end(),
                     [&](const auto& file) { return file.first == path || file.first.starts_with(path + "/"); });
}

}  // namespace

FakeWorkspace::FakeWorkspace(FileMap initial, std::string branch) : head_(std::move(branch)) {
  refs_[head_] = put_commit({}, put_tree(initial), "initial\n", 0);
  checkout_ = std::move(initial);
}

std::optional<Error> FakeWorkspace::fault(std::string_view call) {
  return fault_ ? fault_(call) : std::nullopt;
}

std::optional<Error> FakeWorkspace::witness(std::string_view call, Moment moment) {
  return witness_ ? witness_(call, moment) : std::nullopt;
}

std::string FakeWorkspace::id_of_blob(const std::string& text) {
  return id_of("blob\n" + text);
}

FakeWorkspace::Merged FakeWorkspace::merge(const FileMap& base, const FileMap& ours, const FileMap& theirs) {
  Merged merged{.files = ours, .clashes = {}};
  for (const ChangedPath& change : compare(base, theirs)) {
    const Clash clash{find(base, change.path), find(ours, change.path), find(theirs, change.path)};
    if (clash.ours == clash.theirs) continue;
    if (clash.ours != clash.base) {
      merged.files.erase(change.path);
      merged.clashes.emplace(change.path, clash);
    } else {
      set(merged.files, change.path, clash.theirs);
    }
  }
  return merged;
}

std::vector<ConflictedPath> FakeWorkspace::conflicted(const Merged& merged) {
  const auto id = [](const std::optional<std::string>& text) { return text ? id_of_blob(*text) : ""; };
  std::vector<ConflictedPath> paths;
  for (const auto& [path, clash] : merged.clashes) {
    paths.push_back({id(clash.base), id(clash.ours), path, id(clash.theirs)});
  }
  return paths;
}

FileMap FakeWorkspace::base_files(const std::string& a, const std::string& b) const {
  const std::string base = merge_base(a, b);
  return base.empty() ? FileMap{} : files_at(base);
}

FileMap FakeWorkspace::ours_alone(const port::CaptureSpec& spec, const FileMap& base, FileMap files) {
  for (const std::string& path : spec.not_ours) {
    if (has_path(base, path)) continue;
    std::erase_if(files, [&](const auto& file) { return file.first == path || file.first.starts_with(path + "/"); });
  }
  return files;
}

std::string FakeWorkspace::put_tree(const FileMap& files) {
  std::string bytes = "tree\n";
  for (const auto& [path, text] : files) bytes += path + '\0' + to_hex(sha256(text)) + '\n';
  const std::string id = id_of(bytes);
  trees_[id] = files;
  for (const auto& [path, text] : files) blobs_[id_of_blob(text)] = text;
  return id;
}

std::string FakeWorkspace::put_commit(const std::vector<std::string>& parents, const std::string& tree,
                                      const std::string& message, Micros at_us) {
  std::string bytes = "commit\n" + tree + '\n';
  for (const std::string& parent : parents) bytes += parent + '\n';
  bytes += std::to_string(at_us / k_second) + '\n' + message;
  const std::string id = id_of(bytes);
  commits_[id] = {parents, tree, message};
  return id;
}

Result<std::string> FakeWorkspace::tree_of(const std::string& id) const {
  if (trees_.contains(id)) return id;
  const auto commit = commits_.find(id);
  if (commit != commits_.end()) return commit->second.tree;
  return Error{ErrorCode::environment, "cannot read the object " + id};
}

std::set<std::string> FakeWorkspace::ancestors(const std::string& commit) const {
  std::set<std::string> found;
  std::vector<std::string> open{commit};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    if (!found.insert(next).second) continue;
    for (const std::string& parent : commits_.at(next).parents) open.push_back(parent);
  }
  return found;
}

std::string FakeWorkspace::merge_base(const std::string& a, const std::string& b) const {
  const std::set<std::string> of_a = ancestors(a);
  const std::set<std::string> of_b = ancestors(b);
  std::vector<std::string> common;
  std::set_intersection(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(), std::back_inserter(common));
  for (const std::string& candidate : common) {  // by id, when several are best
    const bool best = std::none_of(common.begin(), common.end(), [&](const std::string& other) {
      return other != candidate && descends(other, candidate);
    });
    if (best) return candidate;
  }
  return "";
}

bool FakeWorkspace::is_kept(const std::string& commit) const {
  return std::any_of(refs_.begin(), refs_.end(), [&](const auto& ref) {
    const bool counts = ref.first.starts_with("refs/bernstein/salvage/") || ref.first.starts_with("refs/heads/");
    return counts && descends(ref.second, commit);
  });
}

Result<std::string> FakeWorkspace::tip(const std::string& target) {
  const Lock lock(mutex_);
  if (const auto error = fault("tip")) return *error;
  const auto found = refs_.find(target);
  if (found == refs_.end()) {
    return Error{ErrorCode::not_found, "there is no branch " + target + "; create it with `git branch`"};
  }
  return found->second;
}

Result<std::string> FakeWorkspace::create_session(const port::SessionSpec& spec) {
  const Lock lock(mutex_);
  if (const auto error = fault("create_session")) return *error;
  for (const std::string& commit : {spec.base, spec.merge_in.empty() ? spec.base : spec.merge_in}) {
    if (!commits_.contains(commit)) return Error{ErrorCode::environment, "cannot read the commit " + commit};
  }
  const auto old = sessions_.find(spec.name);
  if (old != sessions_.end() && !old->second.unfinished) {
    const Session& there = old->second;
    const bool same = there.base == spec.base && there.tip == spec.base && there.merge_in == spec.merge_in;
    if (same) return path_of(spec.name);
    if (old->second.tip != old->second.base && !is_kept(old->second.tip)) {
      return Error{ErrorCode::conflict, "the last commit of " + spec.name + " is under no salvage reference"};
    }
  }
  Session session{
      .base = spec.base, .tip = spec.base, .merge_in = spec.merge_in, .files = trees_.at(commits_.at(spec.base).tree)};
  if (!spec.merge_in.empty()) {
    Merged merged = merge(base_files(spec.base, spec.merge_in), session.files, files_at(spec.merge_in));
    for (const auto& [path, clash] : merged.clashes) {
      const bool both = clash.ours && clash.theirs;
      set(merged.files, path,
          both ? "<<<<<<< target\n" + *clash.ours + "=======\n" + *clash.theirs + ">>>>>>> your earlier work\n"
               : clash.ours);
    }
    session.files = std::move(merged.files);
  }
  for (const std::vector<std::string>* paths : {&spec.symlink_dirs, &spec.copy_files}) {
    for (const std::string& path : *paths) {
      for (const auto& [name, text] : checkout_) {
        if ((name == path || name.starts_with(path + "/")) && !session.files.contains(name)) session.files[name] = text;
      }
    }
  }
  Session& half = sessions_[spec.name] = {.base = spec.base, .tip = spec.base, .files = {}, .unfinished = true};
  if (const auto error = witness("create_session", Moment::halfway)) return *error;
  half = std::move(session);
  if (const auto error = witness("create_session", Moment::done)) return *error;
  return path_of(spec.name);
}

// It keeps nothing, as for bases without a file to go by.
Result<bool> FakeWorkspace::reuse_setup(const port::SetupSpec&) {
  const Lock lock(mutex_);
  if (const auto error = fault("reuse_setup")) return *error;
  return false;
}

Status FakeWorkspace::keep_setup(const port::SetupSpec&) {
  const Lock lock(mutex_);
  if (const auto error = fault("keep_setup")) return *error;
  return Ok{};
}

Result<port::Captured> FakeWorkspace::capture(const port::CaptureSpec& spec) {
  const Lock lock(mutex_);
  if (const auto error = fault("capture")) return *error;
  if (!commits_.contains(spec.base)) return Error{ErrorCode::environment, "cannot read the commit " + spec.base};
  const auto session = sessions_.find(spec.session);
  if (session == sessions_.end()) {
    return Error{ErrorCode::conflict, "the worktree of " + spec.session + " is gone; nothing was left to keep"};
  }
  const FileMap base = trees_.at(commits_.at(spec.base).tree);
  const FileMap files = ours_alone(spec, base, session->second.files);
  const std::string tip = session->second.tip;
  const std::string tree = put_tree(files);
  const std::string commit = tree == commits_.at(tip).tree ? tip : put_commit({tip}, tree, spec.message, spec.at_us);
  if (const auto error = witness("capture", Moment::halfway)) return *error;
  if (commit != spec.base) refs_[spec.salvage_ref] = commit;
  if (const auto error = witness("capture", Moment::done)) return *error;
  if (!descends(tip, spec.base)) {
    return Error{ErrorCode::conflict, "the branch agent/" + spec.session + " no longer descends from its base " +
                                          spec.base.substr(0, 12) + "; what is left is kept as " + spec.salvage_ref};
  }
  if (tree == commits_.at(spec.base).tree) return port::Captured{spec.base, tree, {}};
  return port::Captured{commit, tree, compare(base, files)};
}

Result<port::CandidateOutcome> FakeWorkspace::build_candidate(const port::CandidateSpec& spec) {
  const Lock lock(mutex_);
  if (const auto error = fault("build_candidate")) return *error;
  std::string onto = spec.onto;
  if (onto.empty()) {
    const auto ref = refs_.find(spec.target);
    if (ref == refs_.end()) return Error{ErrorCode::not_found, "there is no branch " + spec.target};
    onto = ref->second;
  }
  for (const std::string& commit : {onto, spec.commit}) {
    if (!commits_.contains(commit)) return Error{ErrorCode::environment, "cannot read the commit " + commit};
  }
  port::Candidate candidate{.base = onto, .base_tree = commits_.at(onto).tree, .commit = "", .tree = ""};
  const FileMap base = base_files(onto, spec.commit);
  const FileMap& ours = files_at(onto);
  FileMap theirs = files_at(spec.commit);
  for (const ChangedPath& change : compare(base, theirs)) {
    if (!matches_any(spec.from_target, change.path) || matches_any(spec.owned, change.path)) continue;
    if (find(theirs, change.path) != find(ours, change.path)) candidate.left_out.push_back(change.path);
    set(theirs, change.path, find(base, change.path));
  }
  Merged merged = merge(base, ours, theirs);
  for (auto next = merged.clashes.begin(); next != merged.clashes.end();) {
    const auto at = next++;
    const auto& [path, clash] = *at;
    if (!matches_any(spec.union_files, path) || !clash.ours || !clash.theirs) continue;
    merged.files[path] = union_of(*clash.ours, *clash.theirs);
    candidate.unioned.push_back(path);
    merged.clashes.erase(at);
  }
  for (const ConflictedPath& path : conflicted(merged)) {
    for (const Resolution& known : spec.resolutions) {
      const bool same = known.base == path.base && known.ours == path.ours && known.theirs == path.theirs;
      if (!same || (!known.result.empty() && !blobs_.contains(known.result))) continue;
      if (!known.result.empty()) merged.files[path.path] = blobs_.at(known.result);
      candidate.resolved.push_back(path.path);
      merged.clashes.erase(path.path);
      break;
    }
  }
  if (!merged.clashes.empty()) return port::CandidateOutcome(port::Conflict{onto, conflicted(merged)});
  candidate.tree = put_tree(merged.files);
  std::vector<std::string> parents{onto};
  if (spec.method == LandingMethod::merge && spec.commit != onto) parents.push_back(spec.commit);
  candidate.commit = put_commit(parents, candidate.tree, spec.message, spec.at_us);
  if (const auto error = witness("build_candidate", Moment::halfway)) return *error;
  refs_["refs/bernstein/candidates/" + spec.name] = candidate.commit;
  if (const auto error = witness("build_candidate", Moment::done)) return *error;
  return port::CandidateOutcome(candidate);
}

Status FakeWorkspace::drop_candidate(const std::string& name) {
  const Lock lock(mutex_);
  if (const auto error = fault("drop_candidate")) return *error;
  if (const auto error = witness("drop_candidate", Moment::halfway)) return *error;
  refs_.erase("refs/bernstein/candidates/" + name);
  if (const auto error = witness("drop_candidate", Moment::done)) return *error;
  return Ok{};
}

Result<std::string> FakeWorkspace::checkout_tree(const port::CheckoutSpec& spec) {
  const std::string& name = spec.name;
  const Lock lock(mutex_);
  if (const auto error = fault("checkout_tree")) return *error;
  BERNSTEIN_TRY(const std::string id, tree_of(spec.tree));
  checkouts_[name] = "";
  if (const auto error = witness("checkout_tree", Moment::halfway)) return *error;
  checkouts_[name] = id;
  if (const auto error = witness("checkout_tree", Moment::done)) return *error;
  return path_of(name);
}

Result<std::vector<port::TreeFile>> FakeWorkspace::list_tree(const std::string& tree) {
  const Lock lock(mutex_);
  if (const auto error = fault("list_tree")) return *error;
  BERNSTEIN_TRY(const std::string id, tree_of(tree));
  std::map<std::string, bool> listed;
  for (const auto& [path, text] : trees_.at(id)) {
    listed.emplace(path, false);
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      listed.emplace(path.substr(0, slash), true);
    }
  }
  std::vector<port::TreeFile> files;
  for (const auto& [path, directory] : listed) files.push_back({path, directory});
  return files;
}

Result<std::string> FakeWorkspace::read_file(const std::string& tree, const std::string& path) {
  const Lock lock(mutex_);
  if (const auto error = fault("read_file")) return *error;
  BERNSTEIN_TRY(const std::string id, tree_of(tree));
  const auto text = find(trees_.at(id), path);
  if (!text) return Error{ErrorCode::not_found, "there is no file '" + path + "' in the tree"};
  return *text;
}

Result<std::string> FakeWorkspace::blob_id(const std::string& tree, const std::string& path) {
  const Lock lock(mutex_);
  if (const auto error = fault("blob_id")) return *error;
  BERNSTEIN_TRY(const std::string id, tree_of(tree));
  const auto text = find(trees_.at(id), path);
  return text ? id_of_blob(*text) : std::string();
}

Result<port::LandOutcome> FakeWorkspace::land(const port::LandSpec& spec) {
  const Lock lock(mutex_);
  if (const auto error = fault("land")) return *error;
  for (const std::string& commit : {spec.expected, spec.commit}) {
    if (!commits_.contains(commit)) return Error{ErrorCode::environment, "cannot read the commit " + commit};
  }
  const std::vector<std::string>& parents = commits_.at(spec.commit).parents;
  if (parents.empty() || parents.front() != spec.expected) {
    return Error{ErrorCode::invalid_input,
                 "the commit " + spec.commit + " was not built on " + spec.expected + ", so it cannot land there"};
  }
  const auto ref = refs_.find(spec.target);
  if (ref == refs_.end()) return Error{ErrorCode::not_found, "there is no branch " + spec.target};
  if (ref->second == spec.expected) {
    if (const auto error = witness("land", Moment::halfway)) return *error;
    ref->second = spec.commit;
    if (const auto error = witness("land", Moment::done)) return *error;
    return port::LandOutcome(port::Landed{spec.commit});
  }
  for (std::string at = ref->second; at != spec.expected; at = commits_.at(at).parents.front()) {
    if (at == spec.commit) return port::LandOutcome(port::Landed{spec.commit});
    if (commits_.at(at).parents.empty()) break;
  }
  return port::LandOutcome(port::Moved{ref->second});
}

Result<port::RevertOutcome> FakeWorkspace::revert(const port::RevertSpec& spec) {
  const Lock lock(mutex_);
  if (const auto error = fault("revert")) return *error;
  const auto ref = refs_.find(spec.target);
  if (ref == refs_.end()) return Error{ErrorCode::not_found, "there is no branch " + spec.target};
  if (!commits_.contains(spec.landed)) return Error{ErrorCode::environment, "cannot read the commit " + spec.landed};
  const std::vector<std::string>& parents = commits_.at(spec.landed).parents;
  if (parents.empty()) {
    return Error{ErrorCode::invalid_input, "the commit " + spec.landed + " has no parent to go back to"};
  }
  const std::string tip = ref->second;
  const FileMap now = files_at(tip);
  const Merged merged = merge(files_at(spec.landed), now, files_at(parents.front()));
  if (!merged.clashes.empty()) return port::RevertOutcome(port::Conflict{tip, conflicted(merged)});
  const std::string tree = put_tree(merged.files);
  if (merged.files == now) return port::RevertOutcome(port::Captured{tip, tree, {}});
  const std::string undone = put_commit({tip}, tree, spec.message, spec.at_us);
  if (const auto error = witness("revert", Moment::halfway)) return *error;
  refs_[spec.salvage_ref] = undone;
  if (const auto error = witness("revert", Moment::done)) return *error;
  return port::RevertOutcome(port::Captured{undone, tree, compare(now, merged.files)});
}

Result<std::vector<std::string>> FakeWorkspace::probe(const port::CaptureSpec& spec, const std::string& commit) {
  const Lock lock(mutex_);
  if (const auto error = fault("probe")) return *error;
  for (const std::string& id : {spec.base, commit}) {
    if (!commits_.contains(id)) return Error{ErrorCode::environment, "cannot read the commit " + id};
  }
  std::vector<std::string> paths;
  const auto session = sessions_.find(spec.session);
  if (session == sessions_.end() || session->second.unfinished) return paths;
  const std::string from = descends(session->second.tip, spec.base) ? session->second.tip : spec.base;
  const FileMap files = ours_alone(spec, files_at(spec.base), session->second.files);
  const Merged merged = merge(base_files(commit, from), files_at(commit), files);
  for (const auto& [path, clash] : merged.clashes) paths.push_back(path);
  return paths;
}

Result<port::SyncResult> FakeWorkspace::sync_checkout(const std::string& target, const std::string& from,
                                                      const std::string& to) {
  const Lock lock(mutex_);
  if (const auto error = fault("sync_checkout")) return *error;
  if (head_ != target) return port::SyncResult{SyncOutcome::not_checked_out, ""};
  BERNSTEIN_TRY(const std::string old_tree, tree_of(from));
  BERNSTEIN_TRY(const std::string new_tree, tree_of(to));
  const FileMap& before = trees_.at(old_tree);
  const FileMap& after = trees_.at(new_tree);
  for (const auto& [path, text] : before) {
    const auto now = find(checkout_, path);
    if (now != text && now != find(after, path)) {
      return port::SyncResult{SyncOutcome::left_alone, path + " has uncommitted changes"};
    }
  }
  for (const auto& [path, text] : after) {
    if (before.contains(path)) continue;
    const auto now = find(checkout_, path);
    if (now && now != text) {
      return port::SyncResult{SyncOutcome::left_alone, "the untracked file " + path + " is in the way"};
    }
  }
  for (const auto& [path, text] : before) {
    if (!after.contains(path)) checkout_.erase(path);
  }
  if (const auto error = witness("sync_checkout", Moment::halfway)) return *error;
  for (const auto& [path, text] : after) checkout_[path] = text;
  if (const auto error = witness("sync_checkout", Moment::done)) return *error;
  return port::SyncResult{SyncOutcome::updated, ""};
}

Status FakeWorkspace::remove_session(const std::string& name) {
  const Lock lock(mutex_);
  if (const auto error = fault("remove_session")) return *error;
  const auto session = sessions_.find(name);
  if (session == sessions_.end()) return Ok{};
  const std::string tip = session->second.tip;
  if (tip != session->second.base && !is_kept(tip)) {
    return Error{ErrorCode::conflict, "the last commit of " + name + " (" + tip.substr(0, 12) +
                                          ") is under no salvage reference and no branch, so it was not removed"};
  }
  session->second.files.clear();
  session->second.unfinished = true;
  if (const auto error = witness("remove_session", Moment::halfway)) return *error;
  sessions_.erase(session);
  if (const auto error = witness("remove_session", Moment::done)) return *error;
  return Ok{};
}

Status FakeWorkspace::remove_checkout(const std::string& name) {
  const Lock lock(mutex_);
  if (const auto error = fault("remove_checkout")) return *error;
  const auto checkout = checkouts_.find(name);
  if (checkout == checkouts_.end()) return Ok{};
  checkout->second = "";
  if (const auto error = witness("remove_checkout", Moment::halfway)) return *error;
  checkouts_.erase(checkout);
  if (const auto error = witness("remove_checkout", Moment::done)) return *error;
  return Ok{};
}

Status FakeWorkspace::write_anchor(const std::string& run, const std::string& text, Micros at_us) {
  const Lock lock(mutex_);
  if (const auto error = fault("write_anchor")) return *error;
  const std::string name = "refs/bernstein/runs/" + run;
  const std::string tree = put_tree({{"head.json", text}});
  const auto before = refs_.find(name);
  if (before != refs_.end() && commits_.at(before->second).tree == tree) return Ok{};
  std::vector<std::string> parents;
  if (before != refs_.end()) parents.push_back(before->second);
  const std::string anchor = put_commit(parents, tree, "Anchor of run " + run + "\n", at_us);
  if (const auto error = witness("write_anchor", Moment::halfway)) return *error;
  refs_[name] = anchor;
  if (const auto error = witness("write_anchor", Moment::done)) return *error;
  return Ok{};
}

Result<std::vector<port::Ancestor>> FakeWorkspace::history(const std::string& commit, std::size_t max) {
  const Lock lock(mutex_);
  if (const auto error = fault("history")) return *error;
  std::vector<port::Ancestor> ancestors;
  for (std::string at = commit; ancestors.size() < max;) {
    const auto found = commits_.find(at);
    if (found == commits_.end()) return Error{ErrorCode::environment, "cannot read the commit " + at};
    const std::string& message = found->second.message;
    ancestors.push_back({at, found->second.tree, message.substr(0, message.find('\n')), "somebody"});
    if (found->second.parents.empty()) break;
    at = found->second.parents.front();
  }
  return ancestors;
}

Result<std::string> FakeWorkspace::diff(const std::string& from, const std::string& to) {
  const Lock lock(mutex_);
  if (const auto error = fault("diff")) return *error;
  BERNSTEIN_TRY(const std::string old_tree, tree_of(from));
  BERNSTEIN_TRY(const std::string new_tree, tree_of(to));
  std::string text;
  for (const ChangedPath& change : compare(trees_.at(old_tree), trees_.at(new_tree))) {
    text += "diff --git a/" + change.path + " b/" + change.path + "\n";
  }
  return text;
}

void FakeWorkspace::write(const std::string& session, const std::string& path, const std::string& text) {
  const Lock lock(mutex_);
  sessions_.at(session).files[path] = text;
}

void FakeWorkspace::erase(const std::string& session, const std::string& path) {
  const Lock lock(mutex_);
  sessions_.at(session).files.erase(path);
}

void FakeWorkspace::commit(const std::string& session, const std::string& message) {
  const Lock lock(mutex_);
  Session& agent = sessions_.at(session);
  agent.tip = put_commit({agent.tip}, put_tree(agent.files), message, 0);
}

void FakeWorkspace::forget_history(const std::string& session) {
  const Lock lock(mutex_);
  Session& agent = sessions_.at(session);
  agent.tip = put_commit({}, put_tree(agent.files), "history was forgotten\n", 0);
}

std::string FakeWorkspace::user_commits(const FileMap& changes) {
  const Lock lock(mutex_);
  BERNSTEIN_CHECK(refs_.contains(head_), "the person stands on a branch that is there");
  FileMap files = trees_.at(commits_.at(refs_[head_]).tree);
  for (const auto& [path, text] : changes) {
    if (text.empty()) {
      files.erase(path);
      checkout_.erase(path);
    } else {
      files[path] = text;
      checkout_[path] = text;
    }
  }
  return refs_[head_] = put_commit({refs_[head_]}, put_tree(files), "the person's\n", 0);
}

std::string FakeWorkspace::somebody_commits(const std::string& branch, const FileMap& changes) {
  if (branch == head_) return user_commits(changes);
  const Lock lock(mutex_);
  FileMap files = trees_.at(commits_.at(refs_.at(branch)).tree);
  for (const auto& [path, text] : changes) files[path] = text;
  return refs_[branch] = put_commit({refs_[branch]}, put_tree(files), "somebody's\n", 0);
}

void FakeWorkspace::user_edits(const std::string& path, const std::string& text) {
  const Lock lock(mutex_);
  checkout_[path] = text;
}

void FakeWorkspace::user_leaves_branch() {
  const Lock lock(mutex_);
  const std::string elsewhere = "refs/heads/elsewhere";
  refs_[elsewhere] = refs_[head_];
  head_ = elsewhere;
}

void FakeWorkspace::remove_branch(const std::string& branch) {
  const Lock lock(mutex_);
  refs_.erase(branch);
}

void FakeWorkspace::set_fault(std::function<std::optional<Error>(std::string_view)> fault) {
  const Lock lock(mutex_);
  fault_ = std::move(fault);
}

void FakeWorkspace::user_deletes_worktree(const std::string& session) {
  const Lock lock(mutex_);
  sessions_.erase(session);
}

void FakeWorkspace::set_witness(std::function<std::optional<Error>(std::string_view, Moment)> witness) {
  const Lock lock(mutex_);
  witness_ = std::move(witness);
}

FileMap FakeWorkspace::files(const std::string& commit_or_tree) {
  const Lock lock(mutex_);
  return trees_.at(*tree_of(commit_or_tree));
}

FileMap FakeWorkspace::checkout() {
  const Lock lock(mutex_);
  return checkout_;
}

std::optional<std::string> FakeWorkspace::ref(const std::string& name) {
  const Lock lock(mutex_);
  return find(refs_, name);
}

std::vector<std::string> FakeWorkspace::parents(const std::string& commit) {
  const Lock lock(mutex_);
  return commits_.at(commit).parents;
}

std::string FakeWorkspace::message(const std::string& commit) {
  const Lock lock(mutex_);
  return commits_.at(commit).message;
}

std::optional<FileMap> FakeWorkspace::worktree(const std::string& session) {
  const Lock lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return {};
  return found->second.files;
}

std::optional<std::string> FakeWorkspace::tree_in_checkout(const std::string& name) {
  const Lock lock(mutex_);
  const auto found = checkouts_.find(name);
  if (found == checkouts_.end()) return {};
  return found->second;
}

std::optional<std::string> FakeWorkspace::anchor(const std::string& run) {
  const Lock lock(mutex_);
  const auto ref = refs_.find("refs/bernstein/runs/" + run);
  if (ref == refs_.end()) return {};
  return trees_.at(commits_.at(ref->second).tree).at("head.json");
}

port::RepositoryFacts FakeWorkspace::facts(const port::RepositoryQuestions& questions) {
  std::set<std::string> places = worktrees();
  const Lock lock(mutex_);
  port::RepositoryFacts facts{.targets = {}, .commits = {}, .refs = {}, .salvaged = {}, .places = std::move(places)};
  std::set<std::string> salvaged;
  for (const auto& [name, commit] : refs_) {
    if (name.starts_with("refs/bernstein/") && commits_.contains(commit)) facts.refs[name] = commit;
    if (name.starts_with("refs/bernstein/salvage/")) salvaged.merge(ancestors(commit));
  }
  for (const std::string& id : questions.commits) {
    if (const auto commit = commits_.find(id); commit != commits_.end())
      facts.commits[id] = {commit->second.tree, commit->second.parents};
    if (salvaged.contains(id)) facts.salvaged.insert(id);
  }
  for (const auto& [target, since] : questions.targets) {
    if (!refs_.contains(target)) continue;
    port::TargetFacts& about = facts.targets[target];
    for (const std::string& id : ancestors(refs_.at(target))) {
      if (questions.commits.contains(id)) about.reached.insert(id);
      const std::string& message = commits_.at(id).message;
      const std::string key = "\nBernstein-Event: ";
      if (const std::size_t at = message.rfind(key); at != std::string::npos)
        about.landings.push_back({id, message.substr(at + key.size(), message.find('\n', at + 1) - at - key.size())});
    }
  }
  return facts;
}

std::set<std::string> FakeWorkspace::worktrees() {
  const Lock lock(mutex_);
  std::set<std::string> names;
  for (const auto& [name, session] : sessions_) names.insert(name);
  for (const auto& [name, tree] : checkouts_) names.insert(name);
  return names;
}

std::string FakeWorkspace::path_of(const std::string& name) const {
  return "/fake/.sdd/worktrees/" + name;
}

}  // namespace bernstein::test
