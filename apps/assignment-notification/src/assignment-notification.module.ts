import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { INTERNAL_DOOR } from '#internal';
import { openDatabase, type Database } from '#persistence';
import type { Config } from './config.js';
import { STORE } from './store.js';

/** Name of the service's database. */
export const databaseName = 'deskstream_assignment';

/** Who should work on a ticket, and who must hear of it: it changes tickets by commands only. */
@Module({})
export class AssignmentNotificationModule implements OnApplicationShutdown {
  constructor(private readonly parts: ModuleRef) {}

  static with({ MONGODB_URI: uri, INTERNAL_KEY: key }: Config, database = databaseName): DynamicModule {
    return {
      module: AssignmentNotificationModule,
      providers: [
        { provide: STORE, useFactory: () => openDatabase({ uri, database }) },
        { provide: INTERNAL_DOOR, useValue: { audience: 'assignment-notification', key } },
      ],
    };
  }

  /** After the consumers have drained: they store until then. */
  async onApplicationShutdown(): Promise<void> {
    await this.parts.get<Database>(STORE).close();
  }
}
