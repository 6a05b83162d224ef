import { setTimeout as sleep } from 'node:timers/promises';
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { brokerSettings } from '../../deploy/kafka/broker-settings.ts';
import { freePorts } from '../../deploy/kafka/free-ports.ts';
import { untilCoordinatorsAnswer } from '../../src/log/kafka/coordinators.ts';
import type { TestCluster } from './kafka-cluster.ts';

// The versions of docker-compose.yml; a test holds that.
export const KAFKA_IMAGE = 'apache/kafka:4.3.0';
export const REGISTRY_IMAGE = 'apicurio/apicurio-registry:3.0.9';

const PULL_TIMEOUT_MS = 120_000;
const READY_TIMEOUT_MS = 90_000;
const BROKER_PORT = 9092;
const REGISTRY_PORT = 8080;
const REGISTRY_PATH = '/apis/ccompat/v7';

/** Makes sure that the images are on the engine. @throws where one can't be had in time, saying which */
export async function fetchImages(withRegistry: boolean): Promise<void> {
  const { image } = await getContainerRuntimeClient();
  for (const name of withRegistry ? [KAFKA_IMAGE, REGISTRY_IMAGE] : [KAFKA_IMAGE]) {
    const wanted = ImageName.fromString(name);
    const waiting = new AbortController();
    const late = sleep(PULL_TIMEOUT_MS, undefined, { signal: waiting.signal }).then(() => {
      throw new Error(`it took longer than ${PULL_TIMEOUT_MS} ms`);
    });
    try {
      await Promise.race([image.pull(wanted), late]);
      // A pull that fails half-way can end without an error.
      await image.inspect(wanted);
    } catch (cause) {
      throw new Error(`the image ${name} can't be had: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    } finally {
      waiting.abort();
      await late.catch(() => {});
    }
  }
}

/** A broker, and a registry where it is asked for, in containers. */
export async function startContainers(withRegistry: boolean): Promise<TestCluster> {
  const starting = [startBroker(), ...(withRegistry ? [startRegistry()] : [])];
  const started = await Promise.allSettled(starting);
  const containers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(containers.map(({ container }) => container.stop()));
  };
  try {
    const [broker, registry] = await Promise.all(starting);
    const brokers = broker === undefined ? [] : [broker.address];
    await untilCoordinatorsAnswer(brokers, READY_TIMEOUT_MS);
    return {
      brokers,
      registryUrl: registry === undefined ? null : `http://${registry.address}${REGISTRY_PATH}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Started {
  readonly container: StartedTestContainer;
  /** Host and port as seen from here. */
  readonly address: string;
}

/** A client goes on at the address that the broker gives, so that its port must be known before it starts. */
async function startBroker(): Promise<Started> {
  const { info } = await getContainerRuntimeClient();
  const [port = 0] = await freePorts(1);
  const address = `${info.containerRuntime.host}:${port}`;
  const container = await new GenericContainer(KAFKA_IMAGE)
    .withEnvironment(
      kafkaEnvironment({
        'process.roles': 'broker,controller',
        'node.id': 1,
        'controller.quorum.voters': '1@127.0.0.1:9093',
        // The broker calls itself too (before it takes a transaction's records), and can't always by the outer address.
        listeners: `PLAINTEXT://0.0.0.0:${BROKER_PORT},ITSELF://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093`,
        'advertised.listeners': `PLAINTEXT://${address},ITSELF://127.0.0.1:9094`,
        'inter.broker.listener.name': 'ITSELF',
        'controller.listener.names': 'CONTROLLER',
        'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,ITSELF:PLAINTEXT,PLAINTEXT:PLAINTEXT',
        ...brokerSettings(1),
      }),
    )
    .withExposedPorts({ container: BROKER_PORT, host: port })
    .withStartupTimeout(READY_TIMEOUT_MS)
    .start();
  return { container, address };
}

async function startRegistry(): Promise<Started> {
  const container = await new GenericContainer(REGISTRY_IMAGE)
    .withExposedPorts(REGISTRY_PORT)
    .withWaitStrategy(Wait.forHttp(`${REGISTRY_PATH}/subjects`, REGISTRY_PORT).forStatusCode(200))
    .withStartupTimeout(READY_TIMEOUT_MS)
    .start();
  return { container, address: `${container.getHost()}:${container.getMappedPort(REGISTRY_PORT)}` };
}

/** As the image documents: KAFKA_NODE_ID sets node.id. */
const kafkaEnvironment = (settings: { readonly [name: string]: unknown }): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `KAFKA_${name.replaceAll('.', '_').toUpperCase()}`,
      String(value),
    ]),
  );
