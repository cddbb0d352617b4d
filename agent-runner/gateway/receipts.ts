// Asks the gateway to vouch for what this step has done; without its receipt the operator believes no finding. May: ask the gateway.
import type { PushClaim, ReportClaim } from '../../crds/contracts/receipts.ts';
import { GatewayUnreachable, refusalOf, type GatewayClient } from './client.ts';

/** Undefined: it vouches. Otherwise why the gateway finds that it is not so. Throws `GatewayUnreachable` when it cannot tell. */
export const receiptRefusal = async (gateway: GatewayClient, claim: ReportClaim | PushClaim): Promise<string | undefined> => {
  const body = Buffer.from(JSON.stringify(claim));
  const answer = await gateway.send({ method: 'PUT', path: '/v1/receipt', body, maxBytes: 4_096 });
  if (answer.status === 200) return undefined;
  const { code, message } = refusalOf(answer);
  if (answer.status >= 500) throw new GatewayUnreachable(`the gateway gives no receipt: ${answer.status} ${code}: ${message}`);
  return `${code}: ${message}`;
};
