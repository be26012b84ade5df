// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested

import { expect, test } from 'vitest';
import { substitute } from '../../../core/capi/envsubst.ts';
import { hasCode } from '../../../core/errors.ts';

const variables = {
  SET: 'value',
  EMPTY: '',
  MIXED: 'AbC',
  PATH_: 'path/to/file.tar.gz',
  ARN: 'arn:aws:iam::1:role/petra',
  TWO: '2',
  MINUS: '-3',
  TEXT: 'a${SET}b',
  ACCENT: 'élan',
  SHARP: 'ßx',
  DOTTED: 'İX',
};

// Each output is the one github.com/drone/envsubst v2 gives through clusterctl 1.9.5's processor, unless a test below says otherwise.
test.each([
  // plain
  ['a ${SET} b', 'a value b'],
  ['${SET}${TWO}', 'value2'],
  ['${EMPTY}', ''],
  ['${ SET }', 'value'],
  ['${SET }', 'value'],
  ['${\tSET}', 'value'],
  ['no variable', 'no variable'],
  ['', ''],
  // dollars
  ['$SET', '$SET'],
  ['$${SET}', '${SET}'],
  ['$$${SET}', '$value'],
  ['$$$${SET}', '$${SET}'],
  ['a$$b', 'a$b'],
  ['$', '$'],
  ['x$', 'x$'],
  ['$(VAR) }', '$(VAR) }'],
  // defaults: for unset and for empty, in every form
  ['${UNSET:=d}', 'd'],
  ['${UNSET=d}', 'd'],
  ['${UNSET:-d}', 'd'],
  ['${UNSET:+d}', 'd'],
  ['${UNSET:?d}', 'd'],
  ['${EMPTY:=d}', 'd'],
  ['${EMPTY=d}', 'd'],
  ['${SET:=d}', 'value'],
  ['${SET:+d}', 'value'],
  ['${UNSET:=:8443}', ':8443'],
  ['${UNSET:=""}', '""'],
  ['${UNSET:=a b/c-d.e}', 'a b/c-d.e'],
  ['${UNSET:=$$x}', '$$x'],
  ['${UNSET==d}', '=d'],
  ['${UNSET:=${SET}}', 'value'],
  ['${UNSET:=${OTHER:=deep}}', 'deep'],
  ['${UNSET:=pre-${SET}-${TWO}-post}', 'pre-value-2-post'],
  ['${UNSET:=${OTHER}}', ''],
  ['${UNSET:=x} ${UNSET}', 'x '],
  // case
  ['${SET^}', 'Value'],
  ['${SET^^}', 'VALUE'],
  ['${MIXED,}', 'abC'],
  ['${MIXED,,}', 'abc'],
  ['${EMPTY^}', ''],
  ['${ACCENT^}', 'Élan'],
  ['${SHARP^^}', 'ßX'],
  ['${DOTTED,,}', 'ix'],
  // length, in bytes
  ['${#SET}', '5'],
  ['${#ACCENT}', '5'],
  // substring
  ['${SET:1}', 'alue'],
  ['${SET:1:2}', 'al'],
  ['${SET:3:9}', 'ue'],
  ['${SET:9}', ''],
  ['${SET:9:1}', ''],
  ['${SET:${TWO}}', 'lue'],
  ['${SET:${MINUS}}', 'lue'],
  ['${SET:${MINUS}:2}', 'lu'],
  ['${SET:0:${TWO}}', 'va'],
  ['${SET:x}', 'value'],
  ['${SET:1:x}', 'value'],
  ['${SET:1::2}', 'al'],
  ['${TWO:${ARN}}', '2'],
  // prefix and suffix
  ['${PATH_#*/}', 'to/file.tar.gz'],
  ['${PATH_##*/}', 'file.tar.gz'],
  ['${PATH_%.*}', 'path/to/file.tar'],
  ['${PATH_%%.*}', 'path/to/file'],
  ['${PATH_#path}', '/to/file.tar.gz'],
  ['${PATH_#????}', '/to/file.tar.gz'],
  ['${PATH_%gz}', 'path/to/file.tar.'],
  ['${PATH_#nothing}', 'path/to/file.tar.gz'],
  ['${PATH_#[a-p]}', 'ath/to/file.tar.gz'],
  ['${PATH_#[^x]}', 'ath/to/file.tar.gz'],
  ['${PATH_#[^p]}', 'path/to/file.tar.gz'],
  ['${PATH_#[\\p]}', 'ath/to/file.tar.gz'],
  ['${PATH_#\\p}', 'ath/to/file.tar.gz'],
  ['${PATH_#[}', 'path/to/file.tar.gz'],
  ['${PATH_#[a-]}', 'path/to/file.tar.gz'],
  ['${PATH_#[-a]}', 'path/to/file.tar.gz'],
  ['${PATH_#\\}', 'path/to/file.tar.gz'],
  ['${PATH_###}', 'path/to/file.tar.gz'],
  ['${PATH_#${TWO}}', 'path/to/file.tar.gz'],
  ['${SET##x}', 'value'],
  ['${SET%x}', 'value'],
  ['${SET%%x}', 'value'],
  ['${SET%${MIXED}}', 'value'],
  ['${SET#*}', 'alue'],
  ['${SET##*}', ''],
  // replace
  ['${PATH_/t/T}', 'paTh/to/file.tar.gz'],
  ['${PATH_//t/T}', 'paTh/To/file.Tar.gz'],
  ['${PATH_/t/}', 'pah/to/file.tar.gz'],
  ['${PATH_//t/}', 'pah/o/file.ar.gz'],
  ['${PATH_/\\//-}', 'path-to/file.tar.gz'],
  ['${PATH_//\\//-}', 'path-to-file.tar.gz'],
  ['${PATH_/to/\\\\}', 'path/\\/file.tar.gz'],
  ['${PATH_/to/$$}', 'path/$/file.tar.gz'],
  ['${PATH_/to/$&}', 'path/$&/file.tar.gz'],
  ['${PATH_/#path/x}', 'x/to/file.tar.gz'],
  ['${PATH_/#to/x}', 'path/to/file.tar.gz'],
  ['${PATH_/%gz/xz}', 'path/to/file.tar.xz'],
  ['${PATH_/%to/x}', 'path/to/file.tar.gz'],
  ['${PATH_/#path/}', 'path/to/file.tar.gz'],
  ['${PATH_/${TWO}/x}', 'path/to/file.tar.gz'],
  ['${PATH_/to/${SET}}', 'path/value/file.tar.gz'],
  ['${PATH_/a//b}', 'pbth/to/file.tar.gz'],
  ['${SET/${EMPTY}/x}', 'xvalue'],
  ['${TWO//${EMPTY}/x}', 'x2x'],
  ['${ARN/#arn/eks.amazonaws.com/role-arn: arn}', 'eks.amazonaws.com/role-arn: arn:aws:iam::1:role/petra'],
  ['${UNSET/#arn/eks.amazonaws.com/role-arn: arn}', ''],
  // a value is not looked at again
  ['${TEXT}', 'a${SET}b'],
  ['${UNSET:=${TEXT}}', 'a${SET}b'],
])('%j becomes %j', (text, expected) => {
  expect(substitute(text, variables)).toBe(expected);
});

test.each([
  ['${PATH_%[a-z]}', 'path/to/file.tar.g', 'a class works at the end too'],
  ['${PATH_%\\z}', 'path/to/file.tar.g', 'a backslash works at the end too'],
  ['${ACCENT#?}', 'lan', 'a character is never cut in two'],
  ['$${ SET }', '${ SET }', 'escaped text keeps its blanks'],
])('unlike the original, %j becomes %j: %s', (text, expected) => {
  expect(substitute(text, variables)).toBe(expected);
});

function failure(text: string): unknown {
  try {
    return substitute(text, variables, 'core v1.9.5');
  } catch (error) {
    return error;
  }
}

test('every name without value and default is reported at once, sorted', () => {
  const error = failure('${ZED} ${ALPHA^^} ${SET} ${EMPTY} ${MID:=} ${#LEN} ${SOME:=default} ${constructor}');
  expect(hasCode(error, 'VariablesMissing')).toBe(true);
  expect(error).toMatchObject({
    message: 'core v1.9.5 needs values for ALPHA, LEN, MID, ZED, constructor',
    details: { variables: ['ALPHA', 'LEN', 'MID', 'ZED', 'constructor'] },
  });
});

test.each([
  ['${', 'expected the name of a variable'],
  ['${}', 'expected the name of a variable'],
  ['${SET', 'expected } after SET'],
  ['${SET-x}', 'expected } after SET'],
  ['${SET.x}', 'expected } after SET'],
  ['${SET^^x}', 'expected } to end ${SET^^'],
  ['${SET:}', 'empty or unfinished argument'],
  ['${SET:1:}', 'empty or unfinished argument'],
  ['${SET:1', 'expected } to end ${SET:'],
  ['${SET:=x', 'empty or unfinished argument'],
  ['${SET#}', 'empty or unfinished argument'],
  ['${SET#a${TWO}}', 'expected } to end ${SET#'],
  ['${SET/a}', 'expected / after the pattern'],
  ['${SET/}/x}', 'empty or unfinished argument'],
  ['${SET:0:-1}', 'negative length -1'],
])('%j is refused', (text, reason) => {
  const error = failure(text);
  expect(hasCode(error, 'ReleaseCorrupt')).toBe(true);
  expect(error).toMatchObject({ message: expect.stringContaining(reason) });
});

test('an error names source and line', () => {
  expect(failure('a: 1\nb: ${SET}\nc: ${SET?}\n')).toMatchObject({
    message: 'core v1.9.5, line 3: expected } after SET',
  });
});

test('hostile input takes no more than time in proportion', () => {
  const before = process.cpuUsage();
  expect(hasCode(failure('${A:='.repeat(100_000)), 'ReleaseCorrupt')).toBe(true);
  expect(hasCode(failure(`\${${' '.repeat(1_000_000)}`), 'ReleaseCorrupt')).toBe(true);
  expect(substitute(`$$${'$x'.repeat(500_000)}`, {})).toHaveLength(1_000_001);
  expect(substitute(`\${A##${'*a'.repeat(50)}b}`, { A: 'a'.repeat(2_000) })).toBe('a'.repeat(2_000));
  // By the processor's time: the machine may have other things to do.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(2_000);
});
