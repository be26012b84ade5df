/** One client for each region, made when it is first asked for and kept. */
export function perRegion<Client>(connect: (region: string) => Client): (region: string) => Client {
  const clients = new Map<string, Client>();
  return (region) => {
    const known = clients.get(region);
    if (known !== undefined) return known;
    const made = connect(region);
    clients.set(region, made);
    return made;
  };
}
