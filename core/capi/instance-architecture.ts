/**
 * Instance types with ARM processors: Graviton families have a `g` right after their generation (m7g, c7gn, im4gn, t4g; not
 * g5, whose g comes first), and two families are older or newer than that rule. The same text is a JavaScript and a Go (RE2)
 * regular expression, since the ClusterClass decides by it too.
 */
export const armInstanceType = '^([a-z]+[0-9]+g|a1[.]|p6e-gb)';

/** The processor architecture of an EC2 instance type, in the words of k3s' and Ubuntu's releases. */
export function architectureOf(instanceType: string): 'amd64' | 'arm64' {
  return new RegExp(armInstanceType).test(instanceType) ? 'arm64' : 'amd64';
}
