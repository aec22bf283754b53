#include "received.hpp"

#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "descendants.hpp"

namespace bernstein::exec {
namespace {

constexpr std::size_t k_answer_bytes = 32 << 10;  // the kernel fills at most so much at once

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// "socket:[4711]" behind the descriptors of these processes.
std::set<std::uint64_t> sockets_of(const std::vector<pid_t>& processes) {
  std::set<std::uint64_t> inodes;
  for (const pid_t pid : processes) {
    const std::string path = "/proc/" + std::to_string(pid) + "/fd";
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
    while (const dirent* entry = directory == nullptr ? nullptr : ::readdir(directory.get())) {
      std::array<char, 64> text{};
      const ssize_t size = ::readlinkat(::dirfd(directory.get()), entry->d_name, text.data(), text.size());
      constexpr std::string_view k_socket = "socket:[";
      const std::string_view target(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
      std::uint64_t inode = 0;
      if (!target.starts_with(k_socket)) continue;
      const char* digits = target.data() + k_socket.size();
      if (std::from_chars(digits, target.data() + target.size(), inode).ec == std::errc()) inodes.insert(inode);
    }
  }
  return inodes;
}

// What stands at the front of bytes from the kernel; zeros where they are too few. The macros of netlink would do the
// same with casts.
template <class T>
T front_of(std::string_view bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

// Takes a part whose head says how long it is; "" when there is none any more. Parts begin at multiples of four.
template <class Head, class Length>
std::string_view take_part(std::string_view& bytes, Length Head::*length) {
  const std::size_t size = front_of<Head>(bytes).*length;
  if (bytes.size() < sizeof(Head) || size < sizeof(Head) || size > bytes.size()) return {};
  const std::string_view part = bytes.substr(0, size);
  bytes.remove_prefix(std::min((size + 3) / 4 * 4, bytes.size()));
  return part;
}

std::uint64_t received_on(std::string_view attributes) {
  for (std::string_view part = take_part(attributes, &rtattr::rta_len); !part.empty();
       part = take_part(attributes, &rtattr::rta_len)) {
    if (front_of<rtattr>(part).rta_type != INET_DIAG_INFO) continue;
    return front_of<tcp_info>(part.substr(sizeof(rtattr))).tcpi_bytes_received;  // 0 where an older kernel tells less
  }
  return 0;
}

// The connections of one family; those of `wanted` come into `found`.
void look_at(int netlink, int family, const std::set<std::uint64_t>& wanted, ReceivedBytes& found) {
  struct {
    nlmsghdr head;
    inet_diag_req_v2 request;
  } question{};
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.request.sdiag_family = static_cast<std::uint8_t>(family);
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_ext = 1U << (INET_DIAG_INFO - 1);
  question.request.idiag_states = ~0U;
  if (::send(netlink, &question, sizeof question, 0) != static_cast<ssize_t>(sizeof question)) return;
  std::array<char, k_answer_bytes> answer{};
  while (true) {
    const ssize_t size = ::recv(netlink, answer.data(), answer.size(), 0);
    if (size <= 0) return;
    std::string_view messages(answer.data(), static_cast<std::size_t>(size));
    for (std::string_view message = take_part(messages, &nlmsghdr::nlmsg_len); !message.empty();
         message = take_part(messages, &nlmsghdr::nlmsg_len)) {
      const auto type = front_of<nlmsghdr>(message).nlmsg_type;
      constexpr std::size_t k_heads = sizeof(nlmsghdr) + sizeof(inet_diag_msg);
      if (type == NLMSG_DONE || type == NLMSG_ERROR || message.size() < k_heads) return;
      const std::uint64_t inode = front_of<inet_diag_msg>(message.substr(sizeof(nlmsghdr))).idiag_inode;
      if (wanted.contains(inode)) found[inode] = received_on(message.substr(k_heads));
    }
  }
}

}  // namespace

ReceivedBytes descendants_received() {
  ReceivedBytes found;
  const std::set<std::uint64_t> sockets = sockets_of(descendant_pids());
  if (sockets.empty()) return found;
  const int netlink = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) return found;
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (const int family : {AF_INET, AF_INET6}) look_at(netlink, family, sockets, found);
  ::close(netlink);
  return found;
}

std::uint64_t received_since(const ReceivedBytes& before, const ReceivedBytes& now) {
  std::uint64_t sum = 0;
  for (const auto& [inode, bytes] : now) {
    const auto known = before.find(inode);
    // Less than before: the inode is that of another connection.
    sum += known == before.end() || known->second > bytes ? bytes : bytes - known->second;
  }
  return sum;
}

}  // namespace bernstein::exec
