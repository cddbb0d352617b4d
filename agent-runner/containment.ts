// Tries what a contained pod must not be able to do: to connect to the gateway's canary port and to the API server. May: open and close TCP.
import { connect } from 'node:net';
import type { Address } from './config.ts';

/** Long enough for the first packet to be lost and sent again, which Linux does after a second. */
const TIMEOUT_MS = 1_500;

/** The addresses that answered; empty when the pod is contained. A refusal is an answer of the enforcer, not of the address. */
export const reachable = async (addresses: readonly Address[]): Promise<readonly Address[]> => {
  const answers = await Promise.all(addresses.map(connects));
  return addresses.filter((_, index) => answers[index]);
};

const connects = async ({ host, port }: Address): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), TIMEOUT_MS);
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
