// transcript: how a Deliberation came to its outcome. The object tells who said what, by digest; the gateway has the words.

import type { Deliberation } from '../crds/kinds/deliberation.ts';
import { find, type Cluster } from './cluster.ts';
import { openGateway, type Gateway } from './gateway-access.ts';
import type { TranscriptRequest } from './requests.ts';
import type { Terminal } from './terminal.ts';
import { harmless } from './text.ts';
import { shownTexts, type Texts } from './transcript-record.ts';
import { transcriptText } from './transcript-text.ts';

/** Texts that are fetched at a time, all through one port-forward. */
const AT_A_TIME = 8;

const fetchAll = async (gateway: Gateway, rootUid: string, digests: readonly string[]): Promise<Texts> => {
  const texts = new Map<string, string | undefined>();
  const waiting = [...digests];
  const lane = async (): Promise<void> => {
    for (let digest = waiting.shift(); digest !== undefined; digest = waiting.shift())
      texts.set(digest, (await gateway.artifact(rootUid, digest))?.toString('utf8'));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  return texts;
};

type Open = (cluster: Cluster, gatewayNamespace: string | undefined) => Promise<Gateway>;

const fetchTexts = async (
  { texts, gatewayNamespace }: TranscriptRequest,
  deliberation: Deliberation,
  cluster: Cluster,
  open: Open,
): Promise<Texts> => {
  const digests = shownTexts(deliberation);
  const rootUid = deliberation.status?.pinned?.rootUid;
  if (!texts || rootUid === undefined || digests.length === 0) return new Map();
  const gateway = await open(cluster, gatewayNamespace);
  try {
    return await fetchAll(gateway, rootUid, digests);
  } finally {
    gateway.close();
  }
};

export const printTranscript = async (
  request: TranscriptRequest,
  cluster: Cluster,
  terminal: Pick<Terminal, 'write'>,
  open: Open = openGateway,
): Promise<void> => {
  const deliberation = await find(cluster, 'deliberation', request.name);
  const texts = await fetchTexts(request, deliberation, cluster, open);
  terminal.write(harmless(transcriptText(deliberation, texts)));
};
