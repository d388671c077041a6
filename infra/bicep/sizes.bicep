import { postgresSize } from 'modules/postgres.bicep'
import { scaleLimits } from 'modules/function-app.bicep'

metadata description = 'The three sizes. Whatever differs between them is a line here.'

@description('What one size consists of.')
@export()
type size = {
  @description('Everything behind private endpoints and one address to leave by; else only PostgreSQL is.')
  privateNetworking: bool

  @description('Size of PostgreSQL.')
  postgres: postgresSize

  @description('Connections that one instance of the app may hold.')
  poolSize: int

  @description('Connections to PostgreSQL at which somebody is told.')
  connectionsAlert: int

  @description('Size of Redis; empty for none. The app then polls, and limits count per instance.')
  redisSkuName: string

  @description('Two Redis nodes instead of one.')
  redisHighAvailability: bool

  @description('Replication of the storage account of the Functions host.')
  storageSkuName: 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GZRS'

  @description('How far the app scales.')
  scale: scaleLimits

  @description('When the sweep runs (six fields: seconds first). Each run is paid for; what a crash left waits for it.')
  sweepSchedule: string

  @description('Days that telemetry is kept.')
  telemetryDays: int

  @description('Most telemetry taken in per day, in GB.')
  telemetryDailyGb: int

  @description('Whether three places of the world ask every five minutes if the app is ready.')
  availabilityTest: bool

  @description('How often the questions of alerts are asked, as an ISO 8601 duration; the price falls with it.')
  alertFrequency: 'PT5M' | 'PT15M'

  @description('Spending in a month, in the currency of the subscription, at which somebody is told.')
  monthlyBudget: int

  @description('Deleted secrets stay for 90 days and nobody can purge them sooner. It cannot be taken back.')
  purgeProtection: bool

  @description('PostgreSQL and the vault cannot be deleted before their locks are.')
  lockData: bool
}

@description('The sizes by name.')
@export()
var sizes = {
  // To look at: the smallest of everything. No standby, no Redis, and no more than 30 connections to PostgreSQL, which
  // gives a B1ms 35.
  try: {
    privateNetworking: false
    postgres: {
      skuName: 'Standard_B1ms'
      tier: 'Burstable'
      storageGb: 32
      zoneRedundant: false
      backupDays: 7
      geoBackup: false
    }
    poolSize: 6
    connectionsAlert: 30
    redisSkuName: ''
    redisHighAvailability: false
    storageSkuName: 'Standard_LRS'
    scale: {
      instanceMemoryMb: 2048
      maximumInstances: 5
      alwaysReadyHttp: 0
      alwaysReadyDurable: 0
      httpPerInstance: 100
      zoneRedundant: false
    }
    sweepSchedule: '0 * * * * *'
    telemetryDays: 30
    telemetryDailyGb: 1
    availabilityTest: false
    alertFrequency: 'PT15M'
    monthlyBudget: 60
    purgeProtection: false
    lockData: false
  }

  // To work on: PgBouncer and Redis as in production, one of each, nothing kept warm.
  dev: {
    privateNetworking: false
    postgres: {
      skuName: 'Standard_D2ds_v5'
      tier: 'GeneralPurpose'
      storageGb: 32
      zoneRedundant: false
      backupDays: 7
      geoBackup: false
    }
    poolSize: 30
    connectionsAlert: 600
    redisSkuName: 'Balanced_B0'
    redisHighAvailability: false
    storageSkuName: 'Standard_LRS'
    scale: {
      instanceMemoryMb: 2048
      maximumInstances: 40
      alwaysReadyHttp: 0
      alwaysReadyDurable: 0
      httpPerInstance: 100
      zoneRedundant: false
    }
    sweepSchedule: '*/5 * * * * *'
    telemetryDays: 30
    telemetryDailyGb: 1
    availabilityTest: true
    alertFrequency: 'PT5M'
    monthlyBudget: 300
    purgeProtection: false
    lockData: false
  }

  // To rely on: private, spread over zones, warm, and able to come back from the loss of a zone or of a region's data.
  // PostgreSQL of this size holds 100 instances of at most 30 connections each, which PgBouncer folds into 50.
  prod: {
    privateNetworking: true
    postgres: {
      skuName: 'Standard_D4ds_v5'
      tier: 'GeneralPurpose'
      storageGb: 256
      zoneRedundant: true
      backupDays: 35
      geoBackup: true
    }
    poolSize: 30
    connectionsAlert: 1200
    redisSkuName: 'Balanced_B5'
    redisHighAvailability: true
    storageSkuName: 'Standard_ZRS'
    scale: {
      instanceMemoryMb: 2048
      maximumInstances: 100
      alwaysReadyHttp: 2
      alwaysReadyDurable: 2
      httpPerInstance: 100
      zoneRedundant: true
    }
    sweepSchedule: '*/5 * * * * *'
    telemetryDays: 90
    telemetryDailyGb: 20
    availabilityTest: true
    alertFrequency: 'PT5M'
    monthlyBudget: 2000
    purgeProtection: true
    lockData: true
  }
}
