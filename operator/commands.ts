// Commands to the gateway: one message per subject, so a command that was sent, is in flight or was answered is not sent again.

import { commandSubject, type GatewayCommand } from '../crds/commands.ts';
import type { JetStreamLink } from './jetstream.ts';

/** Throws StoreUnavailable. A refusal by the stream means that it is there already, which is as good as sent. */
export const sendCommand = async (link: Pick<JetStreamLink, 'publish'>, command: GatewayCommand): Promise<void> => {
  await link.publish({ subject: commandSubject(command.id), data: JSON.stringify(command) });
};
