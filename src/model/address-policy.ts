import { BlockList, isIP } from 'node:net';

/** Addresses that are not on the public network: private, loopback, link-local, metadata, multicast, reserved. */
const NOT_PUBLIC = createBlockList();

/** Whether a literal IPv4 or IPv6 address, mapped ones included, is not on the public network. */
export function isPrivateAddress(address: string): boolean {
  // IPv4 rules hold for mapped IPv6 addresses too.
  const family = isIP(address);
  return family === 0 || NOT_PUBLIC.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether `HOST` or `HOST:PORT` of the list (or `*`) names the host of a URL. */
export function isListed(url: URL, hosts: readonly string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const name = url.hostname.toLowerCase();
  return hosts.some(host => {
    const listed = host.toLowerCase();
    return listed === '*' || listed === name || listed === `${name}:${port}`;
  });
}

function createBlockList(): BlockList {
  const list = new BlockList();
  const v4 = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'];
  const v4Rest = ['192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'];
  const v4Last = ['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'];
  for (const range of [...v4, ...v4Rest, ...v4Last]) add(list, range, 'ipv4');
  // 64:ff9b:: and 2002:: carry IPv4 addresses inside: whatever they lead to, nobody serves modules there.
  const v6 = [
    // None, loopback, and IPv4 addresses as they were written into IPv6 once.
    '::/96',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001:db8::/32',
    '2002::/16',
  ];
  for (const range of [...v6, 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8']) add(list, range, 'ipv6');
  return list;
}

function add(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [network = '', bits = ''] = range.split('/');
  list.addSubnet(network, Number(bits), family);
}
